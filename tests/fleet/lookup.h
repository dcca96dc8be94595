/* A device's questions to the resolver.
 *
 * Of tests/fleet. Deliberately without a cache: whether a device asks, device.c decides. */
#ifndef APNSCOPE_TESTS_FLEET_LOOKUP_H
#define APNSCOPE_TESTS_FLEET_LOOKUP_H

#include "device.h"

/* Asks for a courier's addresses, again after a second where nothing comes back; then calls. */
void lookup(struct device *device, void (*found)(struct device *device),
            void (*failed)(struct device *device));
/* Asks for the TXT record of push.apple.com, as devices do whose fetch of the configuration failed. */
void lookup_text(struct device *device);

#endif
