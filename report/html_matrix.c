/* Which of Apple's networks answer on which port: a list that is too narrow shows as a column with
 * gaps.
 *
 * A section of the HTML writer. Outcomes differ by sign as well as colour. Deliberately shows
 * networks that were tried, not all that exist. */
#include "base/count.h"
#include "base/text.h"
#include "html_picture.h"

enum { SHOWN = 24, LEFT = 220, CELL_WIDTH = 150, CELL_HEIGHT = 26, TOP = 34, GAP = 4 };

bool html_has_matrix(const struct view *view)
{
    return view->figures.network_count > 0;
}

static enum view_heap heap_of(uint64_t worked, uint64_t failed, bool *is_mixed)
{
    *is_mixed = worked && failed;
    return worked ? HEAP_WORKED : failed ? HEAP_FAILED : HEAP_UNJUDGED;
}

static void say_cell(uint64_t worked, uint64_t failed, char text[96])
{
    struct text out = text_over(text, 96);
    if (worked)
        text_format(&out, "✓ %s", DIGITS(worked));
    if (failed)
        text_format(&out, "%s✕ %s", worked ? "  " : "", DIGITS(failed));
    if (!worked && !failed)
        text_add(&out, "not tried");
}

static void put_cell(FILE *out, const struct figure_network *network, int port, int y)
{
    static const char *const classes[HEAP_COUNT] = {
        [HEAP_WORKED] = "cell worked", [HEAP_FAILED] = "cell failed", [HEAP_UNJUDGED] = "cell"};
    char text[96];
    bool is_mixed;
    int x = LEFT + port * (CELL_WIDTH + GAP);
    enum view_heap heap = heap_of(network->worked[port], network->failed[port], &is_mixed);
    html_print(out, "<g class=\"%s\">", is_mixed ? "cell mixed" : classes[heap]);
    html_print(out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"3\"/>", x, y,
               CELL_WIDTH, CELL_HEIGHT);
    say_cell(network->worked[port], network->failed[port], text);
    html_picture_text(out, "value", x + CELL_WIDTH / 2, y + 17, "middle", text);
    fputs("</g>", out);
}

static void say_matrix(const struct view *view, size_t count, char words[PICTURE_WORDS_SIZE])
{
    struct text out = text_over(words, PICTURE_WORDS_SIZE);
    for (size_t i = 0; i < count; i++) {
        const struct figure_network *network = &view->figures.networks[i];
        char prefix[PREFIX_TEXT_SIZE];
        text_format(&out, "%s%s:", i ? "; " : "", prefix_text(&network->prefix, prefix));
        for (int port = 0; port < FIGURE_PORTS; port++)
            if (network->worked[port] || network->failed[port])
                text_format(&out, " port %u %s worked, %s failed", figure_ports[port],
                            DIGITS(network->worked[port]), DIGITS(network->failed[port]));
    }
    text_add(&out, ".");
}

static void put_row(FILE *out, const struct figure_network *network, int y)
{
    char prefix[PREFIX_TEXT_SIZE];
    html_picture_text(out, "lane", LEFT - 12, y + 17, "end", prefix_text(&network->prefix, prefix));
    for (int port = 0; port < FIGURE_PORTS; port++)
        put_cell(out, network, port, y);
    fputc('\n', out);
}

void html_matrix(FILE *out, const struct view *view)
{
    static char words[PICTURE_WORDS_SIZE];
    size_t count = view->figures.network_count < SHOWN ? view->figures.network_count : SHOWN;
    if (!html_has_matrix(view))
        return;
    say_matrix(view, count, words);
    fputs("<section id=\"networks\" aria-labelledby=\"networks-title\"><h2 "
          "id=\"networks-title\">Apple's networks by port</h2>\n",
          out);
    html_picture_begin(out, "matrix-picture", "matrix", LEFT + FIGURE_PORTS * (CELL_WIDTH + GAP),
                       TOP + (int)count * (CELL_HEIGHT + GAP),
                       "Sessions by Apple's network and port", words);
    for (int port = 0; port < FIGURE_PORTS; port++) {
        char name[16];
        snprintf(name, sizeof name, "TCP %u", figure_ports[port]);
        html_picture_text(out, "axis", LEFT + port * (CELL_WIDTH + GAP) + CELL_WIDTH / 2, 20,
                          "middle", name);
    }
    for (size_t i = 0; i < count; i++)
        put_row(out, &view->figures.networks[i], TOP + (int)i * (CELL_HEIGHT + GAP));
    html_picture_end(out);
    fputs("<p class=\"note\">Sessions that worked (✓) and failed (✕), by the network that a "
          "firewall's list would name. Where some networks answer and others never do, the list "
          "is too narrow: Apple asks for all of 17.0.0.0/8.",
          out);
    if (view->figures.network_count > count)
        html_print(
            out, " %s not drawn.",
            COUNTED(view->figures.network_count - count, "more network is|more networks are"));
    fputs("</p>\n</section>\n", out);
}
