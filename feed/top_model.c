/* The rows behind the screen.
 *
 * See top_model.h. Looks rows up by walking over them: at the rates at which things change on a
 * screen that is cheaper than keeping tables in step. Deliberately formats nothing. */
#include "top_model.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"

/* ---- findings ---- */

static struct top_finding *find_finding(struct top_model *model, uint64_t number)
{
    for (size_t i = model->finding_count; i-- > 0;) /* the newest are asked for most */
        if (model->findings[i].finding.number == number)
            return &model->findings[i];
    return NULL;
}

static bool finding_goes_first(const struct top_finding *a, const struct top_finding *b)
{
    if (a->is_withdrawn != b->is_withdrawn)
        return a->is_withdrawn;
    return a->finding.last_ns < b->finding.last_ns;
}

static struct top_finding *place_for_finding(struct top_model *model, uint64_t number)
{
    struct top_finding *place = find_finding(model, number);
    if (place)
        return place;
    if (model->finding_count < TOP_FINDINGS_MAX)
        return &model->findings[model->finding_count++];
    place = &model->findings[0];
    for (size_t i = 1; i < model->finding_count; i++)
        if (finding_goes_first(&model->findings[i], place))
            place = &model->findings[i];
    model->given_up++;
    return place;
}

static void take_finding(struct top_model *model, const struct finding *finding)
{
    struct top_finding *place = place_for_finding(model, finding->number);
    *place = (struct top_finding){.finding = *finding};
}

static void take_withdrawal(struct top_model *model, const struct finding *finding)
{
    struct top_finding *place = find_finding(model, finding->number);
    if (!place)
        return;
    struct text why = text_over(place->why, sizeof place->why);
    text_add(&why, finding->summary);
    place->is_withdrawn = true;
    place->finding.last_ns = finding->last_ns;
}

/* ---- devices ---- */

static void take_device(struct top_model *model, const struct device_record *device)
{
    struct device_record *place = NULL;
    for (size_t i = 0; i < model->device_count && !place; i++)
        if (model->devices[i].lane == device->lane &&
            address_equal(&model->devices[i].ip, &device->ip))
            place = &model->devices[i];
    if (!place && model->device_count < TOP_DEVICES_MAX)
        place = &model->devices[model->device_count++];
    if (!place) {
        place = &model->devices[0];
        for (size_t i = 1; i < model->device_count; i++)
            if (model->devices[i].last_ns < place->last_ns)
                place = &model->devices[i];
        model->given_up++;
    }
    *place = *device;
}

/* ---- sessions ---- */

static bool session_goes_first(const struct top_session *a, const struct top_session *b)
{
    if (a->is_over != b->is_over)
        return a->is_over;
    return a->last_ns < b->last_ns;
}

static struct top_session *place_for_session(struct top_model *model, uint64_t number)
{
    struct top_session *first = &model->sessions[0];
    for (size_t i = 0; i < model->session_count; i++) {
        struct top_session *session = &model->sessions[i];
        if (session->number == number)
            return session;
        if (session_goes_first(session, first))
            first = session;
    }
    if (model->session_count < TOP_SESSIONS_MAX)
        return &model->sessions[model->session_count++];
    model->given_up++;
    return first;
}

static void take_session(struct top_model *model, const struct flow_record *flow, bool is_over)
{
    const char *name = flow->sni ? flow->sni : flow->connect_host;
    *place_for_session(model, flow->number) =
        (struct top_session){.number = flow->number,
                             .client_ip = flow->client_ip,
                             .server_ip = flow->server_ip,
                             .client_port = flow->client_port,
                             .server_port = flow->server_port,
                             .role = flow->role,
                             .outcome = flow->outcome,
                             .ended_by = flow->ended_by,
                             .is_over = is_over,
                             .started_ns = flow->started_ns,
                             .last_ns = flow->last_ns,
                             .packets_up = flow->packets_up,
                             .packets_down = flow->packets_down,
                             .bytes_up = flow->bytes_up,
                             .bytes_down = flow->bytes_down,
                             .rtt_server_us = flow->rtt_server_us,
                             .name = name,
                             .issuer = flow->certificate ? flow->certificate->issuer : NULL};
}

/* ---- all ---- */

void top_model_take(struct top_model *model, enum record_kind kind, const void *record)
{
    switch (kind) {
    case RECORD_FINDING:
    case RECORD_CHANGED:
        take_finding(model, record);
        break;
    case RECORD_WITHDRAWN:
        take_withdrawal(model, record);
        break;
    case RECORD_DEVICE:
        take_device(model, &((const struct device_change *)record)->device);
        break;
    case RECORD_SESSION:
    case RECORD_FLOW:
        take_session(model, record, kind == RECORD_FLOW);
        break;
    case RECORD_REPORT:
        model->report = *(const struct feed_report *)record;
        break;
    case RECORD_NOTICE:
        model->notices[model->notice_count++ % TOP_NOTICES_MAX] = *(const struct notice *)record;
        break;
    case RECORD_REOPEN:
    case RECORD_KIND_COUNT:
        break;
    }
}

const struct notice *top_model_notice(const struct top_model *model, uint64_t back)
{
    if (back >= model->notice_count || back >= TOP_NOTICES_MAX)
        return NULL;
    return &model->notices[(model->notice_count - 1 - back) % TOP_NOTICES_MAX];
}
