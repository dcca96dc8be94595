/* What each command is confined to: the files that its command line names, and nothing else. */
#ifndef APNSCOPE_CLI_CONFINEMENT_H
#define APNSCOPE_CLI_CONFINEMENT_H

#include "capture/privileges.h"
#include "settings.h"

/* Gives up privileges and enters the sandbox, for the commands that read captures and databases;
 * live does so by itself once its interfaces are open. Says on standard error where the kernel
 * cannot do all of it. False with a sentence: privileges could not be given up. */
MUST_USE bool confine(const struct settings *settings, enum command_bit command,
                      struct fault *fault);

/* Live, once its interfaces are open and nothing else is: goes on as another user where root
 * started it, without capabilities in any case. False with a sentence: it must not go on. */
MUST_USE bool confine_to_user(const struct settings *settings, struct privileges_user *user,
                              struct fault *fault);
/* Then, once sockets and other outputs are open: enters the sandbox. Threads are started inside. */
void confine_live(const struct settings *settings);
/* Once all threads have been started: there will be no more, and no processes. */
void confine_threads(void);

#endif
