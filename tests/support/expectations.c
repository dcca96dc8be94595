/* `expect` lines: kept as key and value for whoever runs the pipeline.
 *
 * Of tests/support. Names of hosts and flows are checked here; columns and codes are not, for
 * this folder knows nothing of the program. */
#include <stdlib.h>
#include <string.h>

#include "script.h"

static const struct {
    const char *name;
    bool has_subject;
} kinds[EXPECT_KIND_COUNT] = {
    [EXPECT_FINDING] = {"finding", true},
    [EXPECT_FLOW] = {"flow", true},
    [EXPECT_LADDER] = {"ladder", true},
    [EXPECT_DEVICE] = {"device", true},
    [EXPECT_REQUIREMENT] = {"requirement", true},
    [EXPECT_SKIPPED] = {"skipped", false},
    [EXPECT_RUN] = {"run", false},
    [EXPECT_QUALITY] = {"quality", false},
};

const char *expectation_kind_name(enum expectation_kind kind)
{
    return kinds[kind].name;
}

const char *expectation_value(const struct expectation *expectation, const char *key)
{
    for (size_t i = 0; i < expectation->pair_count; i++)
        if (strcmp(expectation->pairs[i].key, key) == 0)
            return expectation->pairs[i].value;
    return NULL;
}

static bool find_kind(const char *name, enum expectation_kind *kind)
{
    for (int i = 0; i < EXPECT_KIND_COUNT; i++)
        if (strcmp(kinds[i].name, name) == 0) {
            *kind = (enum expectation_kind)i;
            return true;
        }
    return false;
}

static bool check_subject(struct script *script, struct words *words, enum expectation_kind kind,
                          const char *subject)
{
    if ((kind == EXPECT_FLOW || kind == EXPECT_LADDER) && !stage_flow(&script->stage, subject))
        return words_fault(words, script->fault, "\"%s\" is no flow of this scenario", subject);
    if (kind == EXPECT_DEVICE && !stage_host(&script->stage, subject))
        return words_fault(words, script->fault, "\"%s\" is no host of this scenario", subject);
    return true;
}

static void take_pairs(struct words *words, size_t first, struct expectation *expectation)
{
    struct scenario_pair *pairs = support_allocate(words->count * sizeof *pairs);
    size_t count = 0;
    for (size_t i = first; i < words->count; i++) {
        struct word *word = &words->word[i];
        pairs[count].key = support_copy(word->key ? word->key : word->text);
        pairs[count++].value = support_copy(word->key ? word->text : "");
        word->is_used = true;
    }
    expectation->pairs = pairs;
    expectation->pair_count = count;
}

bool expectation_take(struct script *script, struct words *words)
{
    struct scenario *scenario = script->scenario;
    enum expectation_kind kind;
    const char *kind_text = words_plain(words, 1);
    if (!kind_text || !find_kind(kind_text, &kind))
        return words_fault(words, script->fault,
                           "expect wants finding, flow, ladder, device, requirement, skipped, "
                           "quality or run");
    const char *subject = kinds[kind].has_subject ? words_plain(words, 2) : "";
    if (!subject)
        return words_fault(words, script->fault, "which %s?", kind_text);
    if (!check_subject(script, words, kind, subject))
        return false;
    struct expectation expectation = {.kind = kind, .line = words->line};
    expectation.subject = support_copy(subject);
    take_pairs(words, kinds[kind].has_subject ? 3 : 2, &expectation);
    scenario->expectations = support_reallocate(
        scenario->expectations, (scenario->expectation_count + 1) * sizeof *scenario->expectations);
    scenario->expectations[scenario->expectation_count++] = expectation;
    return true;
}

/* The structures are const for readers; here they are given back. */
static void free_const(const void *memory)
{
    union {
        const void *in;
        void *out;
    } pointer = {.in = memory};
    free(pointer.out);
}

void expectations_free(struct scenario *scenario)
{
    for (size_t i = 0; i < scenario->expectation_count; i++) {
        const struct expectation *expectation = &scenario->expectations[i];
        for (size_t k = 0; k < expectation->pair_count; k++) {
            free_const(expectation->pairs[k].key);
            free_const(expectation->pairs[k].value);
        }
        free_const(expectation->pairs);
        free_const(expectation->subject);
    }
    free(scenario->expectations);
}
