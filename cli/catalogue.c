/* Detect's rules as report/ wants them: the two do not see each other. */
#include "command.h"
#include "detect/detect.h"
#include "model/vocabulary.h"

struct report_catalogue catalogue_of_rules(void)
{
    static struct report_code codes[DETECTORS_MAX];
    for (size_t i = 0; i < detector_count; i++) {
        const struct detector *rule = detector_list[i];
        codes[i] = (struct report_code){.code = rule->code,
                                        .title = rule->title,
                                        .meaning = rule->meaning,
                                        .rests_on = rule->rests_on,
                                        .looks_like = rule->looks_like,
                                        .innocent = rule->innocent,
                                        .remedy = rule->remedy,
                                        .severity = severity_name(rule->severity),
                                        .requirements = rule->requirements,
                                        .place = rule->place};
    }
    return (struct report_catalogue){codes, detector_count};
}
