/* A flow of which nothing is known yet.
 *
 * Of model/: track/ starts every session from here. Deliberately the only place that says what
 * "unknown" is for each field; 0 and NULL where nothing is said. */
#include "model/flow_record.h"

struct flow_record flow_record_blank(void)
{
    return (struct flow_record){
        .started_ns = TIME_UNKNOWN,
        .established_ns = TIME_UNKNOWN,
        .last_ns = TIME_UNKNOWN,
        .last_syn_ns = TIME_UNKNOWN,
        .hello_ns = TIME_UNKNOWN,
        .last_down_ns = TIME_UNKNOWN,
        .reset_ns = TIME_UNKNOWN,
        .icmp_ns = TIME_UNKNOWN,
        .rtt_server_us = -1,
        .rtt_client_us = -1,
        .tls_hello_us = -1,
        .ttl_client = -1,
        .ttl_server = -1,
        .hops_server = -1,
        .reset_ttl = -1,
        .icmp_ttl = -1,
        .alert_up = -1,
        .alert_down = -1,
        .process_id = -1,
    };
}
