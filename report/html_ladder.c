/* The packet ladder as a picture: a session that fails beside one that works.
 *
 * Part of the findings' section. Where this capture holds no session that works, a drawing of what
 * one looks like stands in, and says so. Deliberately knows nothing of packets: ladder.c made the
 * rungs. */
#include <inttypes.h>
#include <string.h>

#include "base/count.h"
#include "base/text.h"
#include "html_picture.h"
#include "ladder.h"
#include "model/flow_record.h"

enum {
    WIDTH = 510,
    LEFT = 98, /* the client's rail */
    RIGHT = 388,
    SIDE = 398,
    TOP = 66,
    STEP = 30,
    NOTE_STEP = 22,
    BOX = 10, /* a box on the way */
    HEALTHY_RUNGS = 17,
    NEARER = 3
};

static int height_of(const struct ladder *ladder)
{
    int height = TOP + 12;
    for (size_t i = 0; i < ladder->count; i++)
        height += ladder->rungs[i].kind == RUNG_NOTE ? NOTE_STEP : STEP;
    return height;
}

/* The ladder in words, for those who cannot see it. */
static void say_ladder(const struct ladder *ladder, char words[PICTURE_WORDS_SIZE])
{
    struct text out = text_over(words, PICTURE_WORDS_SIZE);
    for (size_t i = 0; i < ladder->count; i++) {
        const struct rung *rung = &ladder->rungs[i];
        char time[DURATION_TEXT_SIZE + 1];
        ladder_time(rung, time);
        text_format(&out, "%s%s%s", i ? "; " : "", time, time[0] ? " " : "");
        if (rung->kind == RUNG_PACKET)
            text_format(&out, "%s: ", rung->is_up ? "client" : "from the server's side");
        text_add(&out, rung->label);
        if (rung->ttl != ROW_NULL)
            text_format(&out, ", TTL %" PRId64, rung->ttl);
        if (rung->frame != ROW_NULL)
            text_format(&out, ", frame %" PRId64, rung->frame);
        text_add(&out, rung->is_proof ? ", proof" : "");
    }
    text_add(&out, ".");
}

/* Not the server itself, by its distance: it is drawn as a box on the way. */
static bool is_from_a_box(int64_t server_hops, const struct rung *rung)
{
    bool is_nearer = rung->is_bad && rung->ttl != ROW_NULL && server_hops >= 0 &&
                     ttl_hops((int16_t)rung->ttl) + NEARER < server_hops;
    return !rung->is_up && (rung->is_foreign || (is_nearer && strncmp(rung->label, "RST", 3) == 0));
}

static void put_arrow(FILE *out, int64_t server_hops, const struct rung *rung, int y)
{
    bool is_boxed = is_from_a_box(server_hops, rung);
    int from = rung->is_up ? LEFT : is_boxed ? RIGHT - 60 : RIGHT;
    int to = rung->is_up ? RIGHT : LEFT;
    int head = rung->is_up ? -7 : 7;
    html_print(out, "<path class=\"wire\" d=\"M%d %dH%d\"/>", from, y, to);
    html_print(out, "<path class=\"head\" d=\"M%d %dl%d -4v8z\"/>", to, y, head);
    if (is_boxed)
        html_print(out, "<rect class=\"box\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>", from,
                   y - BOX / 2, BOX, BOX);
}

static void put_side(FILE *out, const struct rung *rung, int y)
{
    char ttl[32], frame[48];
    snprintf(ttl, sizeof ttl, "TTL %" PRId64, rung->ttl);
    snprintf(frame, sizeof frame, "frame %" PRId64 "%s", rung->frame,
             rung->is_proof ? " \xe2\x97\x80" : "");
    if (rung->ttl != ROW_NULL)
        html_picture_text(out, "side", SIDE, y - 3, "start", ttl);
    if (rung->frame != ROW_NULL)
        html_picture_text(out, rung->is_proof ? "side proof" : "side", SIDE, y + 9, "start", frame);
}

static void put_rails(FILE *out, bool is_gap, int y, int height)
{
    html_print(out, "<path class=\"%s\" d=\"M%d %dv%d", is_gap ? "rail gap" : "rail", LEFT, y,
               height);
    html_print(out, "M%d %dv%d\"/>\n", RIGHT, y, height);
}

/* Returns where the next rung begins. */
static int put_rung(FILE *out, int64_t server_hops, const struct rung *rung, int y)
{
    char time[DURATION_TEXT_SIZE + 1];
    bool is_note = rung->kind == RUNG_NOTE;
    int step = is_note ? NOTE_STEP : STEP, base = y + step - 8;
    html_print(out, "<g class=\"%s%s\">", is_note ? "note" : "packet", rung->is_bad ? " bad" : "");
    put_rails(out, is_note, y, step);
    html_picture_text(out, "time", LEFT - 12, base + (is_note ? 0 : 4), "end",
                      ladder_time(rung, time));
    if (is_note) {
        html_picture_text(out, "label", (LEFT + RIGHT) / 2, base, "middle", rung->label);
    } else {
        html_picture_text(out, "label", (LEFT + RIGHT) / 2, base - 5, "middle", rung->label);
        put_arrow(out, server_hops, rung, base);
        put_side(out, rung, base);
    }
    fputs("</g>\n", out);
    return y + step;
}

struct heading {
    char id[48], name[96], sub[160];
    const char *tone;
};

static void put_ladder(FILE *out, int64_t server_hops, const struct ladder *ladder,
                       const struct heading *heading)
{
    static char words[PICTURE_WORDS_SIZE];
    int y = TOP, height = height_of(ladder);
    say_ladder(ladder, words);
    html_picture_begin(out, heading->id, "ladder", WIDTH, height, heading->name, words);
    html_print(out, "<text class=\"name %s\" x=\"%d\" y=\"16\">%s</text>\n", heading->tone, 0,
               heading->name);
    html_picture_text(out, "sub", 0, 34, "start", heading->sub);
    html_picture_text(out, "end", LEFT, TOP - 10, "middle", "client");
    html_picture_text(out, "end", RIGHT, TOP - 10, "middle", "server");
    for (size_t i = 0; i < ladder->count; i++)
        y = put_rung(out, server_hops, &ladder->rungs[i], y);
    put_rails(out, false, y, height - y);
    html_picture_end(out);
}

static void say_ends(const struct flow_row *flow, char text[160])
{
    struct text out = text_over(text, 160);
    bool is_ipv6 = flow->server_ip && strchr(flow->server_ip, ':');
    text_format(&out, is_ipv6 ? "%s to [%s]:%" PRId64 : "%s to %s:%" PRId64,
                flow->client_ip ? flow->client_ip : "?", flow->server_ip ? flow->server_ip : "?",
                flow->server_port);
    text_format(&out, ", %s", flow->outcome ? flow->outcome : "outcome not known");
}

/* How far Apple is; where no session worked, how far what accepted this one. */
static int64_t server_hops(const struct view *view, const struct flow_row *flow)
{
    return view->figures.apple_hops >= 0 ? view->figures.apple_hops : flow->hops_server;
}

static void put_broken(FILE *out, const struct view *view, const struct figure_ladder *figure)
{
    static struct ladder ladder;
    struct heading heading = {.tone = html_tone_of_severity(figure->group->severity)};
    struct view_evidence evidence;
    bool has_failed = view_heap_of(figure->parts.flow->outcome) == HEAP_FAILED;
    view_evidence_read(&evidence, figure->finding->evidence);
    ladder_build(&ladder, &figure->parts, &evidence);
    view_evidence_free(&evidence);
    snprintf(heading.id, sizeof heading.id, "ladder-%.40s", figure->group->code);
    snprintf(heading.name, sizeof heading.name, "Session %" PRId64 " %s", ladder.flow_id,
             has_failed ? "fails" : "in question");
    say_ends(figure->parts.flow, heading.sub);
    put_ladder(out, server_hops(view, figure->parts.flow), &ladder, &heading);
}

static void put_healthy(FILE *out, const struct view *view, const struct figure_ladder *figure)
{
    static struct ladder ladder;
    struct heading heading = {.tone = "pass"};
    snprintf(heading.id, sizeof heading.id, "beside-%.40s", figure->group->code);
    if (figure->beside == HEALTHY_COUNT) {
        ladder_reference(&ladder);
        snprintf(heading.name, sizeof heading.name,
                 "How a session looks that works, beside session %" PRId64, figure->parts.flow->id);
        snprintf(heading.sub, sizeof heading.sub,
                 "drawn from rules: this capture holds none to compare with");
        heading.tone = "none";
    } else {
        const struct ladder_parts *parts = &view->figures.healthy[figure->beside];
        ladder_build(&ladder, parts, NULL);
        ladder_cut(&ladder, HEALTHY_RUNGS);
        snprintf(heading.name, sizeof heading.name,
                 "Session %" PRId64 " works, beside session %" PRId64, ladder.flow_id,
                 figure->parts.flow->id);
        say_ends(parts->flow, heading.sub);
    }
    put_ladder(out, view->figures.apple_hops, &ladder, &heading);
}

void html_ladders(FILE *out, const struct view *view, const struct figure_ladder *figure)
{
    fputs("<figure class=\"ladders\"><div class=\"pair\">\n", out);
    put_broken(out, view, figure);
    put_healthy(out, view, figure);
    fputs("</div><figcaption>Packets in the order in which the capture point saw them, times from "
          "the first one; TTLs as captured, frame numbers as in Wireshark; ◀ marks what proves the "
          "finding.</figcaption>"
          "</figure>\n",
          out);
}
