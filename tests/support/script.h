/* What the parts of the scenario reader share while one scenario is read.
 *
 * Of tests/support, private. scenario_parse.c owns it; lines.c, verbs.c and macros.c play into
 * its stage; expectations.c fills in what is expected. */
#ifndef APNSCOPE_TESTS_SUPPORT_SCRIPT_H
#define APNSCOPE_TESTS_SUPPORT_SCRIPT_H

#include "base/fault.h"
#include "scenario.h"
#include "stage.h"
#include "words.h"

struct script {
    struct scenario *scenario;
    struct stage stage;
    struct fault *fault;
    bool has_start;
    enum way only_way; /* NO_WAY: both are captured */
    int64_t from_ns;   /* the capture begins here ... */
    int64_t until_ns;  /* ... and ends here */
};

/* lines.c: a line that begins with a time; its words after the time. */
MUST_USE bool line_play(struct script *script, struct words *words);
/* "10.1.2.3" or a host's name. */
bool script_address(const struct script *script, const char *text, struct address *address);
bool script_mac(const char *text, uint8_t mac[6]);
/* vlan=100 or vlan=200.100 (outer.inner); unchanged without. */
MUST_USE bool script_vlan(struct script *script, struct words *words, const char *key, uint16_t *vlan,
                 uint16_t *outer_vlan, bool *given);
/* A number of key=value between limits; unchanged without. */
MUST_USE bool script_number(struct script *script, struct words *words, const char *key,
                            int64_t lowest, int64_t highest, int64_t *value);
MUST_USE bool script_shape(struct script *script, struct words *words, const struct host *speaker,
                           struct shape *shape);

/* verbs.c: payloads. `words` are those of one payload, its verb first. */
MUST_USE bool verb_payload(struct script *script, struct flow *flow, enum way way,
                           struct words *words, struct bytes *out);
bool verb_client_hello(struct script *script, struct flow *flow, struct words *words,
                       struct bytes *out);
bool verb_server_hello(struct script *script, struct flow *flow, struct words *words,
                       struct bytes *out);
bool verb_certificate(struct script *script, struct flow *flow, struct words *words,
                      struct bytes *out);
/* A seed that no other payload of the scenario has. */
uint64_t verb_seed(const struct script *script, const struct flow *flow);

/* dns_lines.c */
MUST_USE bool dns_lines_play(struct script *script, struct words *words);
MUST_USE bool dns_lines_query(struct script *script, const struct host *client,
                              const struct host *resolver, struct words *words, size_t first_plain,
                              struct bytes *out);
MUST_USE bool dns_lines_answer(struct script *script, const struct host *client,
                               const struct host *resolver, struct words *words, struct bytes *out);

/* macros.c: whole conversations by one word; *known is false where the word is none. */
MUST_USE bool macro_play(struct script *script, struct flow *flow, const char *name,
                         struct words *words, bool *known);

/* expectations.c: the words of `expect ...` without the first. */
MUST_USE bool expectation_take(struct script *script, struct words *words);
void expectations_free(struct scenario *scenario);

#endif
