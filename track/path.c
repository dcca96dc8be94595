/* How a session reaches Apple: straight, through a proxy that was asked, or one that was not.
 *
 * Asked by session_role.c as facts come in. Calls a session transparently proxied only where it
 * alone proves it; comparing it with others is the work of detect/rules/transparent_proxy.c. */
#include "path.h"

#include "dissect/push_name.h"

/* The handshake is answered from within this distance and time, and the hello by something that
 * much farther away. Rests on a box that ends TCP and must ask Apple before it can speak TLS;
 * a courier two hops away whose TLS is slow would prove it wrong. */
enum { DOORSTEP_HOPS = 2, DOORSTEP_US = 3000, FAR_HELLO_US = 10000, FAR_HELLO_TIMES = 8 };

static bool hello_takes_the_longer_way(const struct flow_record *record)
{
    return flow_is_answered_within(record, DOORSTEP_HOPS, DOORSTEP_US) &&
           record->tls_hello_us >= FAR_HELLO_US &&
           record->tls_hello_us / FAR_HELLO_TIMES >= record->rtt_server_us;
}

static bool shows_foreign_certificate(const struct flow_record *record)
{
    return record->certificate && (record->certificate->judgement == CHAIN_FOREIGN ||
                                   record->certificate->judgement == CHAIN_SELF_SIGNED);
}

static bool is_answered_on_the_way(const struct flow_record *record)
{
    return hello_takes_the_longer_way(record) || shows_foreign_certificate(record) ||
           (flow_is_downgraded(record) && push_alpn(record->alpn));
}

enum flow_path path_of(const struct scope *scope, const struct flow_record *record)
{
    if (record->role == ROLE_PROXY)
        return PATH_EXPLICIT_PROXY;
    if (record->role == ROLE_INBOUND)
        return PATH_DIRECT;
    if (!scope_is_apple(scope, &record->server_ip))
        return PATH_OFF_NET;
    return is_answered_on_the_way(record) ? PATH_TRANSPARENT_PROXY : PATH_DIRECT;
}
