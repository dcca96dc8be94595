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

enum {
    WIDTH = 1000,
    HEIGHT = 196,
    WAY = 72, /* the line */
    DEVICES = 70,
    POINT = 250,
    APPLE = 930,
    FIRST = 330, /* blockers stand between these */
    LAST = 800,
    HOPS_GUESSED = 16,
    APART = 170
};

struct stand { /* a blocker on the line */
    const struct figure_blocker *blocker;
    int x;
};

bool html_has_path(const struct view *view)
{
    return view->sessions > 0;
}

static int x_of_hops(const struct view *view, int64_t hops)
{
    int64_t all = view->figures.apple_hops > 0 ? view->figures.apple_hops : HOPS_GUESSED;
    int64_t x = POINT + (APPLE - POINT) * hops / all;
    return (int)(x < FIRST ? FIRST : x > LAST ? LAST : x);
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
        stands[i] = (struct stand){blocker, blocker->hops >= 0 ? x_of_hops(view, blocker->hops)
                                                               : (FIRST + LAST) / 2};
    }
    qsort(stands, count, sizeof stands[0], by_place);
    size_t shown = count > 4 ? 4 : count;
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

/* The gravest fault of which no place is known. */
static const struct view_group *group_without_place(const struct view *view)
{
    for (size_t i = 0; i < view->group_count; i++) {
        const struct view_group *group = view->groups[i];
        bool has_place = false;
        for (size_t k = 0; k < group->kept_count; k++)
            has_place |= group->kept[k]->blocker_ip || group->kept[k]->blocker_hops >= 0;
        if (group->severity == SEVERITY_FAIL && !has_place)
            return group;
    }
    return NULL;
}

static void say_distance(const struct figure_blocker *blocker, char text[96])
{
    struct text out = text_over(text, 96);
    if (blocker->hops < 0)
        text_add(&out, "distance not known");
    else
        text_format(&out, "%s from the capture point", COUNTED(blocker->hops, "hop"));
}

static void say_path(const struct view *view, const struct stand *stands, size_t count,
                     const struct view_group *without, char words[PICTURE_WORDS_SIZE])
{
    struct text out = text_over(words, PICTURE_WORDS_SIZE);
    text_add(&out, "From the devices past the capture point to Apple");
    if (view->figures.apple_hops >= 0)
        text_format(&out, ", whose servers are about %s away",
                    COUNTED(view->figures.apple_hops, "hop"));
    text_add(&out, ".");
    for (size_t i = 0; i < count; i++) {
        char distance[96];
        say_distance(stands[i].blocker, distance);
        text_format(&out, " %s at %s, %s.", view_group_title(stands[i].blocker->group),
                    stands[i].blocker->ip ? stands[i].blocker->ip : "an unnamed box", distance);
    }
    if (without)
        text_format(&out, " %s: somewhere between, the capture does not show where.",
                    view_group_title(without));
    if (!count && !without)
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
        html_print(out, "<circle class=\"hop\" cx=\"%d\" cy=\"%d\" r=\"3\"/>",
                   POINT + (APPLE - POINT) * hop / view->figures.apple_hops, WAY);
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
    char distance[96];
    int x = stand->x;
    say_distance(stand->blocker, distance);
    fputs("<g class=\"blocker\">", out);
    html_print(out,
               "<rect x=\"%d\" y=\"%d\" width=\"32\" height=\"32\" rx=\"4\"/>"
               "<path d=\"M%d %dl14 14m0-14l-14 14\"/>",
               x - 16, WAY - 16, x - 7, WAY - 7);
    put_title(out, view_group_title(stand->blocker->group), x, WAY - 30);
    html_picture_text(out, "what", x, WAY + 38, "middle",
                      stand->blocker->ip ? stand->blocker->ip : "a box on the way");
    html_picture_text(out, "detail", x, WAY + 55, "middle", distance);
    fputs("</g>\n", out);
}

static void put_stretch(FILE *out, const struct view_group *without)
{
    html_print(out, "<g class=\"stretch\"><path d=\"M%d %dv8H%dv-8\"/>", POINT, WAY + 76, APPLE);
    char text[160];
    snprintf(text, sizeof text, "%s: somewhere here; silence does not show where",
             view_group_title(without));
    html_picture_text(out, "title", (POINT + APPLE) / 2, WAY + 104, "middle", text);
    fputs("</g>\n", out);
}

static void put_line(FILE *out, const struct view *view, const struct stand *stands, size_t count)
{
    bool is_broken = view->verdict == VIEW_FAULTY;
    int broken_from = count ? stands[0].x : POINT;
    html_print(out, "<path class=\"way good\" d=\"M%d %dH%d\"/>", DEVICES, WAY,
               is_broken ? broken_from : APPLE);
    if (is_broken)
        html_print(out, "<path class=\"way doubtful\" d=\"M%d %dH%d\"/>\n", broken_from, WAY,
                   APPLE);
}

static void say_hops(int hops, const char *words, char text[64])
{
    if (hops > 0)
        snprintf(text, 64, "%s%s", COUNTED(hops, "hop"), words);
    else
        snprintf(text, 64, "%s", hops ? "distance not known" : "in the same network");
}

/* What the picture shows, with the findings that say more. */
static void put_list(FILE *out, const struct stand *stands, size_t count,
                     const struct view_group *without)
{
    if (!count && !without) {
        fputs("<p class=\"note\">Nothing was seen that stands in the way.</p>\n", out);
        return;
    }
    fputs("<ul class=\"limits\">", out);
    for (size_t i = 0; i < count; i++) {
        const struct figure_blocker *blocker = stands[i].blocker;
        char distance[96];
        say_distance(blocker, distance);
        html_print(out, "<li><a href=\"#code-%s\">%s</a>: %s, %s.</li>\n", blocker->group->code,
                   view_group_title(blocker->group), blocker->ip ? blocker->ip : "a box on the way",
                   distance);
    }
    if (without)
        html_print(out,
                   "<li><a href=\"#code-%s\">%s</a>: somewhere between the capture point and "
                   "Apple. What only keeps silent does not show where it is; a second capture "
                   "beyond the suspected box does.</li>\n",
                   without->code, view_group_title(without));
    fputs("</ul>\n", out);
}

void html_path(FILE *out, const struct view *view)
{
    static char words[PICTURE_WORDS_SIZE];
    struct stand stands[FIGURE_BLOCKERS];
    char clients[64], apple[64];
    if (!html_has_path(view))
        return;
    size_t count = place_blockers(view, stands);
    const struct view_group *without = group_without_place(view);
    say_path(view, stands, count, without, words);
    say_hops(view->figures.client_hops, " before it", clients);
    say_hops(view->figures.apple_hops, " away", apple);
    fputs("<section id=\"path\" aria-labelledby=\"path-title\"><h2 id=\"path-title\">Where on the "
          "path</h2>\n",
          out);
    html_picture_begin(out, "path-picture", "path", WIDTH, without ? HEIGHT : HEIGHT - 54,
                       "The way from the devices to Apple", words);
    put_line(out, view, stands, count);
    put_hops(out, view);
    put_node(out, "node", DEVICES, "Devices", clients);
    put_node(out, "node point", POINT, "Capture point",
             view->runs[0]->sensor ? view->runs[0]->sensor : "");
    put_node(out, "node", APPLE, "Apple", apple);
    for (size_t i = 0; i < count; i++)
        put_blocker(out, &stands[i]);
    if (without)
        put_stretch(out, without);
    html_picture_end(out);
    put_list(out, stands, count, without);
    fputs("</section>\n", out);
}
