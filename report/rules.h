/* What to change, as lines of a firewall's rule table. */
#ifndef APNSCOPE_REPORT_RULES_H
#define APNSCOPE_REPORT_RULES_H

#include "view.h"

struct view_rule {
    enum requirement_code requirement; /* that asks for it */
    const char *action, *to, *service, *how;
    const char *codes;  /* of the findings that call for it, with a blank after each */
    bool is_of_servers; /* concerns MDM servers alone */
    bool is_of_devices; /* concerns devices alone */
    enum block_kind unruly; /* of the groups that call for it */
};

/* The nth rule that this network lacks: for requirements that failed, else that have a warning.
 * NULL past the last. */
const struct view_rule *rules_at(const struct view *view, size_t n);

/* Where a rule's traffic comes from: the networks of the clients whose findings call for it. */
void rules_from(const struct view *view, const struct view_rule *rule,
                char text[VIEW_SENTENCE_SIZE]);

#endif
