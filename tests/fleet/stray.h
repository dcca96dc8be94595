/* What happens beside APNs: somebody tries a port by hand, somebody calls from outside.
 *
 * Of tests/fleet. Deliberately only where a fault says so: none of it belongs to a healthy day. */
#ifndef APNSCOPE_TESTS_FLEET_STRAY_H
#define APNSCOPE_TESTS_FLEET_STRAY_H

#include "device.h"

/* Plans what the fleet's fault asks of this device, which has just come. */
void stray_begin(struct device *device);

#endif
