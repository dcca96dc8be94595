/* Whims and timers of one device. Of tests/fleet, after the facts of real devices: a failed attempt
 * turns to the other port at once, pairs of failures are followed by pauses, success forgets. */
#include "device.h"

#include <string.h>

#include "courier.h"
#include "fault.h"
#include "lookup.h"
#include "stray.h"

#define WHIMS_NS     (100 * MINUTE_NS)
#define RACE_NS      (250 * NS_PER_MS) /* RFC 8305 section 5 */
#define FALLBACK_NS  MINUTE_NS
#define PAUSE_MAX_NS (15 * MINUTE_NS)

enum { PORT_COURIER = 5223, PORT_FALLBACK = 443, PORT_PROVIDER = 2197 };

static void connect_planned(void *subject, const uint64_t detail[3]);
static void feel_a_whim(void *subject, const uint64_t detail[3]);

static void plan_to_connect(struct device *device, int64_t wait_ns)
{
    fleet_later(device->fleet, wait_ns, connect_planned, device, ++device->plan);
}

/* ---- attempts ---- */

static void drop(struct session **session)
{
    if (*session && !(*session)->is_given_up) {
        (*session)->is_given_up = true;
        line_forget(&(*session)->line, UP);
    }
    *session = NULL;
}

static void race(void *subject, const uint64_t detail[3])
{
    struct device *device = subject;
    if (detail[0] != device->plan || !device->is_on_air || device->rival || !device->session ||
        device->session->line.party[UP].expected)
        return;
    device->rival = courier_connect(device, false, device->port);
}

void device_opens(struct device *device, struct session *session)
{
    if (session == device->rival) { /* the other one was faster */
        device->rival = device->session;
        device->session = session;
    }
    if (session == device->session)
        drop(&device->rival);
}

static void attempt(struct device *device)
{
    if (!device->is_on_air || device->session)
        return;
    device->session = courier_connect(device, device->has_v6, device->port);
    if (device->has_v6)
        fleet_later(device->fleet, RACE_NS, race, device, device->plan);
}

static void find_nobody(struct device *device)
{
    plan_to_connect(device, draw_between(&device->draw, 20, 300) * NS_PER_S);
}

static void connect_planned(void *subject, const uint64_t detail[3])
{
    struct device *device = subject;
    const struct fault *fault = device->fleet->fault;
    bool must_ask = fault && (fault->blocks_dns || fault->leads_away) && device->is_hit;
    if (detail[0] != device->plan || !device->is_on_air || device->session)
        return;
    if (must_ask || draw_chance(&device->draw, 0.5))
        lookup(device, attempt, find_nobody);
    else
        attempt(device); /* an address from before */
}

static void note_success(struct device *device, const struct session *session)
{
    const struct line *line = &session->line;
    bool over_v6 = line->party[UP].station == &device->v6;
    if (session->opened_ns < 0) /* before the capture */
        return;
    device->worked[over_v6]++;
    device->worked_5223[over_v6] += line->party[DOWN].port == PORT_COURIER;
    device->fallbacks += line->party[DOWN].port == PORT_FALLBACK && device->failed_5223_ns > 0 &&
                         session->opened_ns - device->failed_5223_ns < FALLBACK_NS;
}

void device_works(struct device *device, struct session *session)
{
    if (session != device->session)
        return;
    note_success(device, session);
    device->sessions++;
    device->failures = 0;
    device->has_ticket = true;
    if (!device->is_mdm_server)
        device->port = PORT_COURIER;
}

static int64_t pause_ns(struct device *device)
{
    if (device->failures % 2) /* to the other port at once */
        return draw_between(&device->draw, 1, 500) * NS_PER_MS;
    int64_t pause = 5 * NS_PER_S << (device->failures < 16 ? device->failures / 2 : 8);
    pause = pause < PAUSE_MAX_NS ? pause : PAUSE_MAX_NS;
    return draw_between(&device->draw, pause / 2, pause * 3 / 2);
}

void device_lost(struct device *device, struct session *session, bool had_worked)
{
    session->is_given_up = true;
    if (session == device->rival) {
        device->rival = NULL;
        return;
    }
    if (session != device->session)
        return;
    device->session = device->rival;
    device->rival = NULL;
    if (device->session)
        return; /* the race goes on without it */
    if (session->line.party[UP].station == &device->v6 && !session->line.party[UP].expected &&
        device->is_on_air) { /* refused at once: the other IP version is next */
        device->session = courier_connect(device, false, device->port);
        return;
    }
    if (had_worked) {
        plan_to_connect(device, draw_between(&device->draw, 5, 200) * NS_PER_MS);
        return;
    }
    device->failures = (uint8_t)(device->failures + (device->failures < 250));
    if (session->line.party[DOWN].port == PORT_COURIER && session->opened_ns >= 0)
        device->failed_5223_ns = device->fleet->now_ns;
    if (device->port != PORT_FALLBACK)
        device->port = PORT_FALLBACK;
    else
        device->port = device->is_mdm_server ? PORT_PROVIDER : PORT_COURIER;
    plan_to_connect(device, pause_ns(device));
}

/* ---- whims ---- */

static void plan_whims(struct device *device)
{
    fleet_later(device->fleet, draw_wait(&device->draw, WHIMS_NS), feel_a_whim, device, 0);
}

static void wake(void *subject, const uint64_t detail[3])
{
    struct device *device = subject;
    struct session *session = device->session;
    (void)detail;
    if (!device->is_here)
        return;
    device->is_on_air = true;
    plan_whims(device);
    if (!session) {
        plan_to_connect(device, NS_PER_S);
    } else if (!session->works || session->due_ns <= device->fleet->now_ns) {
        courier_close(session);
        device_lost(device, session, true);
    } else {
        courier_wakes(session);
    }
}

static void sleep_a_while(struct device *device)
{
    device->is_on_air = false;
    fleet_later(device->fleet, draw_between(&device->draw, 1, 90) * MINUTE_NS, wake, device, 0);
}

/* On another network meanwhile; what it had here it has forgotten, or says so when it is back. */
static void come_back(void *subject, const uint64_t detail[3])
{
    struct device *device = subject;
    (void)detail;
    if (!device->is_here)
        return;
    device->is_on_air = true;
    if (device->session && draw_chance(&device->draw, 0.3))
        line_reset(&device->session->line, UP, true);
    drop(&device->session);
    drop(&device->rival);
    device->port = PORT_COURIER;
    device->failures = 0;
    plan_whims(device);
    plan_to_connect(device, draw_between(&device->draw, 100, 3000) * NS_PER_MS);
}

static void roam(struct device *device)
{
    device->is_on_air = false;
    fleet_later(device->fleet, draw_between(&device->draw, 1, 60) * MINUTE_NS, come_back, device,
                0);
}

static void take_a_better_path(struct device *device)
{
    if (device->session && device->session->works) {
        courier_close(device->session);
        device->session = NULL;
        plan_to_connect(device, draw_between(&device->draw, 1, 600) * NS_PER_S);
    }
    plan_whims(device);
}

static void drop_the_socket(struct device *device)
{
    if (device->session && device->session->works) {
        line_reset(&device->session->line, UP, true);
        drop(&device->session);
        plan_to_connect(device, draw_between(&device->draw, 1, 60) * NS_PER_S);
    }
    plan_whims(device);
}

static void feel_a_whim(void *subject, const uint64_t detail[3])
{
    static void (*const whims[])(struct device *) = {sleep_a_while,      sleep_a_while,  roam, roam,
                                                     take_a_better_path, drop_the_socket};
    struct device *device = subject;
    (void)detail;
    if (device->is_here && device->is_on_air)
        whims[draw_between(&device->draw, 0, sizeof whims / sizeof whims[0])](device);
}

/* ---- the day ---- */

static void leave(void *subject, const uint64_t detail[3])
{
    struct device *device = subject;
    (void)detail;
    device->is_here = device->is_on_air = false;
}

static void start_server(void *subject, const uint64_t detail[3])
{
    struct device *device = subject;
    (void)detail;
    device->is_here = device->is_on_air = true;
    device->port = draw_chance(&device->draw, 0.5) ? PORT_FALLBACK : PORT_PROVIDER;
    plan_to_connect(device, NS_PER_S);
}

static void arrive(void *subject, const uint64_t detail[3])
{
    struct device *device = subject;
    (void)detail;
    device->is_here = device->is_on_air = true;
    if (draw_chance(&device->draw, 0.4))
        courier_fetch_bag(device);
    plan_to_connect(device, draw_between(&device->draw, 50, 1500) * NS_PER_MS);
    plan_whims(device);
    stray_begin(device);
    if (device->leaves_ns < device->fleet->length_ns)
        fleet_later(device->fleet, device->leaves_ns - device->fleet->now_ns, leave, device, 0);
}

void device_begin(struct device *device)
{
    device->port = PORT_COURIER;
    fleet_later(device->fleet, device->arrives_ns - device->fleet->now_ns,
                device->is_mdm_server ? start_server : arrive, device, 0);
}
