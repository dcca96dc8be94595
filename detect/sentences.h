/* Pieces of text that findings share; part of the engine. */
#ifndef APNSCOPE_DETECT_SENTENCES_H
#define APNSCOPE_DETECT_SENTENCES_H

#include "detect/judge.h"
#include "model/capture_quality.h"

/* Wireshark's display filter for one session; for all of a device's sessions to a port; for what a
 * name's DNS messages of a client are. Each into finding->display_filter. */
void filter_of_flow(struct finding *finding, const struct flow_record *flow);
void filter_of_device(struct finding *finding);
void filter_of_dns(struct finding *finding, const struct dns_message *dns);

/* Ends the summary with when and how often, and a full stop. */
void summary_finish(struct finding *finding);

/* "handshake_failure", or its number where it has no name, in the caller's buffer. */
enum { ALERT_TEXT_SIZE = 40 };
const char *alert_text(int16_t description, char text[ALERT_TEXT_SIZE]);

/* What of the capture limits a finding, "" where nothing does. */
void limits_say(char *sentence, size_t size, const struct capture_quality *quality,
                const struct side_counts *sides);

#endif
