/* The way from the devices to Apple, and where on it something stands in the way.
 *
 * A section of the HTML writer. Distances are hops by TTL, as far as the capture tells; what only
 * keeps silent has no place and is drawn as a stretch. Deliberately draws one way for all: the
 * findings say whose. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/text.h"
#include "html_picture.h"
#include "phrase.h"
#include "place.h"

enum {
    WIDTH = 1000,
    HEIGHT = 160,
    ROW = 54, /* of what is drawn below the line */
    WAY = 72, /* the line */
    BELOW = WAY + 92,
    DEVICES = 70,
    POINT = 250,
    APPLE = 930,
    FIRST = 414, /* blockers stand between these, clear of what is written under their neighbours */
    LAST = 806,
    HOPS_GUESSED = 16,
    APART = 190,
    SHOWN_MAX = 3
};

struct stand { /* a blocker on the line */
    const struct figure_blocker *blocker;
    int x;
};

bool html_has_path(const struct view *view)
{
    return view->sessions > 0;
}

/* The first hop stands at FIRST, the last is Apple. */
static int x_of_hops(const struct view *view, int64_t hops)
{
    int64_t all = view->figures.apple_hops > 1 ? view->figures.apple_hops : HOPS_GUESSED;
    return FIRST + (int)((APPLE - FIRST) * (hops > 1 ? hops - 1 : 0) / (all - 1));
}

static int by_place(const void *a, const void *b)
{
    return ((const struct stand *)a)->x - ((const struct stand *)b)->x;
}

/* Known distances where they belong, others in the middle; then apart, so that labels fit. */
static size_t place_blockers(const struct view *view, struct stand stands[FIGURE_BLOCKERS])
{
    size_t count = view->figures.blocker_count;
    for (size_t i = 0; i < count; i++) {
        const struct figure_blocker *blocker = &view->figures.blockers[i];
        int x = blocker->hops >= 0 ? x_of_hops(view, blocker->hops) : (FIRST + LAST) / 2;
        stands[i] = (struct stand){blocker, x > LAST ? LAST : x};
    }
    qsort(stands, count, sizeof stands[0], by_place);
    size_t shown = count > SHOWN_MAX ? SHOWN_MAX : count;
    for (size_t i = 1; i < shown; i++)
        if (stands[i].x < stands[i - 1].x + APART)
            stands[i].x = stands[i - 1].x + APART;
    for (size_t i = shown; i-- > 0;) {
        int limit = LAST - (int)(shown - 1 - i) * APART;
        if (stands[i].x > limit)
            stands[i].x = limit;
    }
    return shown;
}

/* The gravest fault of that kind of place. */
static const struct view_group *group_at(const struct view *view, enum fault_place place)
{
    for (size_t i = 0; i < view->group_count; i++) {
        const struct view_group *group = view->groups[i];
        if (group->severity == SEVERITY_FAIL && !place_of_group_is_named(group) &&
            !place_of_group_has_side(group) &&
            (group->about ? group->about->place : PLACE_UNKNOWN) == place)
            return group;
    }
    return NULL;
}

/* What stands beside the boxes on the line; each may be missing. */
struct aside {
    const struct view_group *stretch;  /* somewhere between the capture point and Apple */
    const struct view_group *resolver; /* before any connection */
};

static void say_path(const struct view *view, const struct stand *stands, size_t count,
                     const struct aside *aside, char words[PICTURE_WORDS_SIZE])
{
    struct text out = text_over(words, PICTURE_WORDS_SIZE);
    text_add(&out, "From the devices past the capture point to Apple");
    if (view->figures.apple_hops >= 0)
        text_format(&out, ", whose servers are about %s away",
                    COUNTED(view->figures.apple_hops, "hop"));
    text_add(&out, ".");
    for (size_t i = 0; i < count; i++) {
        char distance[PHRASE_SIZE];
        const struct figure_blocker *blocker = stands[i].blocker;
        const char *side = place_side(blocker->side);
        text_format(&out, " %s at %s, %s%s%s.", view_group_title(blocker->group),
                    blocker->ip ? blocker->ip : "an unnamed box",
                    place_distance(blocker->hops, distance), side[0] ? ", " : "", side);
    }
    if (aside->stretch)
        text_format(&out, " %s: somewhere between, the capture does not show where.",
                    view_group_title(aside->stretch));
    if (aside->resolver)
        text_format(&out, " %s: at the resolver, before any connection.",
                    view_group_title(aside->resolver));
    if (!count && !aside->stretch && !aside->resolver && view->verdict != VIEW_FAULTY)
        text_add(&out, " Nothing was seen that stands in the way.");
}

static void put_node(FILE *out, const char *kind, int x, const char *name, const char *detail)
{
    html_print(out, "<circle class=\"%s\" cx=\"%d\" cy=\"%d\" r=\"13\"/>", kind, x, WAY);
    html_picture_text(out, "what", x, WAY + 38, "middle", name);
    html_picture_text(out, "detail", x, WAY + 55, "middle", detail);
}

static void put_hops(FILE *out, const struct view *view)
{
    enum { DOTS_MAX = 40 };
    for (int hop = 1; hop < view->figures.apple_hops && hop < DOTS_MAX; hop++)
        html_print(out, "<circle class=\"hop\" cx=\"%d\" cy=\"%d\" r=\"3\"/>", x_of_hops(view, hop),
                   WAY);
    fputc('\n', out);
}

/* The title over a blocker, on two lines where it is long. */
static void put_title(FILE *out, const char *title, int x, int y)
{
    enum { LINE = 24 };
    const char *blank = NULL;
    for (const char *at = title; *at; at++)
        if (*at == ' ' && (at - title <= LINE || !blank))
            blank = at;
    if (strlen(title) <= LINE || !blank) {
        html_picture_text(out, "title", x, y, "middle", title);
        return;
    }
    char first[64];
    snprintf(first, sizeof first, "%.*s", (int)(blank - title), title);
    html_picture_text(out, "title", x, y - 17, "middle", first);
    html_picture_text(out, "title", x, y, "middle", blank + 1);
}

static void put_blocker(FILE *out, const struct stand *stand)
{
    char distance[PHRASE_SIZE];
    int x = stand->x;
    fputs("<g class=\"blocker\">", out);
    html_print(out,
               "<rect x=\"%d\" y=\"%d\" width=\"32\" height=\"32\" rx=\"4\"/>"
               "<path d=\"M%d %dl14 14m0-14l-14 14\"/>",
               x - 16, WAY - 16, x - 7, WAY - 7);
    put_title(out, view_group_title(stand->blocker->group), x, WAY - 30);
    html_picture_text(out, "what", x, WAY + 38, "middle",
                      stand->blocker->ip ? stand->blocker->ip : "a box on the way");
    html_picture_text(out, "detail", x, WAY + 55, "middle",
                      place_distance(stand->blocker->hops, distance));
    html_picture_text(out, "detail", x, WAY + 72, "middle", place_side(stand->blocker->side));
    fputs("</g>\n", out);
}

static void put_stretch(FILE *out, const struct view_group *group, int y)
{
    html_print(out, "<g class=\"stretch\"><path d=\"M%d %dv8H%dv-8\"/>", POINT, y, APPLE);
    char text[160];
    snprintf(text, sizeof text, "%s: somewhere here; the capture does not show where",
             view_group_title(group));
    html_picture_text(out, "title", (POINT + APPLE) / 2, y + 28, "middle", text);
    fputs("</g>\n", out);
}

static const char *resolver_of(const struct view_group *group)
{
    const struct finding_row *first = group->kept_count ? group->kept[0] : NULL;
    return first && first->server_ip ? first->server_ip : "the devices ask";
}

/* Names are resolved beside the way, before it is taken. */
static void put_resolver(FILE *out, const struct view_group *group, int y)
{
    char text[160];
    html_print(out, "<g class=\"stretch\"><path d=\"M%d %dv8H%dv-8\"/>", DEVICES, y, POINT);
    snprintf(text, sizeof text, "%s: at the resolver %s, before any connection",
             view_group_title(group), resolver_of(group));
    html_picture_text(out, "title", DEVICES, y + 28, "start", text);
    fputs("</g>\n", out);
}

/* Nothing is said of a way that no session took. */
static void put_line(FILE *out, const struct view *view, const struct stand *stands, size_t count,
                     const struct aside *aside)
{
    bool is_broken = count || aside->stretch;
    int tried_to = count ? stands[0].x : aside->stretch ? POINT : APPLE;
    const char *first = is_broken || view->by_heap[HEAP_WORKED] ? "good" : "untried";
    html_print(out, "<path class=\"way %s\" d=\"M%d %dH%d\"/>", first, DEVICES, WAY, tried_to);
    if (is_broken)
        html_print(out, "<path class=\"way doubtful\" d=\"M%d %dH%d\"/>\n", tried_to, WAY, APPLE);
}

static void say_hops(int hops, const char *words, char text[64])
{
    if (hops > 0)
        snprintf(text, 64, "%s%s", COUNTED(hops, "hop"), words);
    else
        snprintf(text, 64, "%s", hops ? "distance unknown" : "in the same network");
}

/* Of a fault that is not drawn as a box. */
static void put_item(FILE *out, const struct view *view, const struct view_group *group)
{
    char where[VIEW_SENTENCE_SIZE];
    struct view_evidence evidence;
    view_evidence_read(&evidence, group->kept[0]->evidence);
    place_say(group->kept[0], &evidence, group->about, view->figures.apple_hops, where);
    view_evidence_free(&evidence);
    html_print(out, "<li><a href=\"#code-%s\">%s</a>: %s</li>\n", group->code,
               view_group_title(group), where);
}

/* What the picture shows, and every other fault, with the findings that say more. */
static void put_list(FILE *out, const struct view *view)
{
    if (view->verdict != VIEW_FAULTY) {
        fputs("<p class=\"note\">Nothing was seen that stands in the way.</p>\n", out);
        return;
    }
    fputs("<ul class=\"limits\">", out);
    for (size_t i = 0; i < view->figures.blocker_count; i++) {
        const struct figure_blocker *blocker = &view->figures.blockers[i];
        char distance[PHRASE_SIZE];
        const char *side = place_side(blocker->side);
        html_print(out, "<li><a href=\"#code-%s\">%s</a>: %s, %s%s%s.</li>\n", blocker->group->code,
                   view_group_title(blocker->group), blocker->ip ? blocker->ip : "a box on the way",
                   place_distance(blocker->hops, distance), side[0] ? ", " : "", side);
    }
    for (size_t i = 0; i < view->group_count; i++)
        if (view->groups[i]->severity == SEVERITY_FAIL && view->groups[i]->kept_count &&
            !place_of_group_is_named(view->groups[i]))
            put_item(out, view, view->groups[i]);
    fputs("</ul>\n", out);
}

/* Of several capture points none is named: they are in the sources. */
static const char *sensor_of(const struct view *view)
{
    const char *first = view->runs[0]->sensor ? view->runs[0]->sensor : "";
    for (size_t i = 1; i < view->run_count; i++)
        if (!view->runs[i]->sensor || strcmp(view->runs[i]->sensor, first) != 0)
            return first[0] || view->runs[i]->sensor ? "several" : "";
    return first;
}

void html_path(FILE *out, const struct view *view)
{
    static char words[PICTURE_WORDS_SIZE];
    struct stand stands[FIGURE_BLOCKERS];
    char clients[64], apple[64];
    if (!html_has_path(view))
        return;
    struct aside aside = {group_at(view, PLACE_ON_THE_WAY), group_at(view, PLACE_AT_RESOLVER)};
    if (!aside.stretch)
        aside.stretch = group_at(view, PLACE_UNKNOWN);
    size_t count = place_blockers(view, stands);
    int rows = (aside.stretch != NULL) + (aside.resolver != NULL);
    say_path(view, stands, count, &aside, words);
    say_hops(view->figures.client_hops, " before it", clients);
    say_hops(view->figures.apple_hops, " away", apple);
    fputs("<section id=\"path\" aria-labelledby=\"path-title\"><h2 id=\"path-title\">Where on the "
          "path</h2>\n",
          out);
    html_picture_begin(out, "path-picture", "path", WIDTH, HEIGHT + ROW * rows,
                       "The way from the devices to Apple", words);
    put_line(out, view, stands, count, &aside);
    put_hops(out, view);
    put_node(out, "node", DEVICES, "Devices", clients);
    put_node(out, "node point", POINT, "Capture point", sensor_of(view));
    put_node(out, "node", APPLE, "Apple", apple);
    for (size_t i = 0; i < count; i++)
        put_blocker(out, &stands[i]);
    if (aside.stretch)
        put_stretch(out, aside.stretch, BELOW);
    if (aside.resolver)
        put_resolver(out, aside.resolver, BELOW + (aside.stretch ? ROW : 0));
    html_picture_end(out);
    put_list(out, view);
    fputs("</section>\n", out);
}
