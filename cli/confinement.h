/* What each command is confined to: the files that its command line names, and nothing else. */
#ifndef APNSCOPE_CLI_CONFINEMENT_H
#define APNSCOPE_CLI_CONFINEMENT_H

#include "settings.h"

/* Gives up privileges and enters the sandbox, for the commands that read captures and databases;
 * live does so by itself once its interfaces are open. Says on standard error where the kernel
 * cannot do all of it. False with a sentence: privileges could not be given up. */
MUST_USE bool confine(const struct settings *settings, enum command_bit command,
                      struct fault *fault);

#endif
