/* Which wrong checksums to believe: see damage.h. */
#include "damage.h"

#include "base/table.h"

/* So many times as many may be wrong: at one changed byte in 100 of the headers and the small
 * messages that courier sessions are made of, most of them are. */
enum { WRONG_FOR_ONE_RIGHT = 8 };
/* All of a sender's packets are wrong: it does not fill checksums in, or they were changed with its
 * address. */
enum { HABIT = 4 };
/* So many percent or more of the packets are wrong whose senders also send right ones: the capture
 * is damaged, and where all of a sender's packets are wrong, that is chance; so is it where
 * payload, which is longer, always is. */
enum { PERCENT = 1 };
/* Payload is wrong so often, and never right, while bare packets are right: it was replaced. */
enum { REPLACED = 16 };

static struct checksum_counts *counts_of(struct damage *damage, const struct packet *packet)
{
    uint64_t hash = hash_bytes(packet->source.byte, sizeof packet->source.byte, 0);
    return damage->senders[hash % DAMAGE_SENDERS];
}

static bool are_right_mostly(const struct checksum_counts *counts)
{
    return counts->right && counts->wrong <= (uint64_t)counts->right * WRONG_FOR_ONE_RIGHT;
}

static bool is_habit(const struct checksum_counts sender[DAMAGE_KINDS])
{
    uint32_t right = sender[DAMAGE_BARE].right + sender[DAMAGE_PAYLOAD].right;
    uint32_t wrong = sender[DAMAGE_BARE].wrong + sender[DAMAGE_PAYLOAD].wrong;
    return !right && wrong >= HABIT;
}

static bool is_proven(const struct damage *damage)
{
    uint64_t right = (uint64_t)damage->all[DAMAGE_BARE].right + damage->all[DAMAGE_PAYLOAD].right;
    return damage->proven && (uint64_t)damage->proven * 100 >= right * PERCENT;
}

/* Nothing is known of this sender yet: what is usual in the capture. */
static bool is_unusual(const struct damage *damage, enum damage_kind kind)
{
    const struct checksum_counts *own = &damage->all[kind], *bare = &damage->all[DAMAGE_BARE];
    if (are_right_mostly(own))
        return true;
    if (kind == DAMAGE_BARE || (bare->wrong && !are_right_mostly(bare)))
        return false;
    return own->wrong < REPLACED || (uint64_t)bare->wrong * 100 >= (uint64_t)bare->right * PERCENT;
}

static bool is_believed(const struct damage *damage,
                        const struct checksum_counts sender[DAMAGE_KINDS], enum damage_kind kind)
{
    return are_right_mostly(&sender[kind]) || is_proven(damage) ||
           (!is_habit(sender) && is_unusual(damage, kind));
}

bool damage_found(struct damage *damage, const struct packet *packet, enum packet_checksum checksum)
{
    if (checksum != CHECKSUM_RIGHT && checksum != CHECKSUM_WRONG)
        return false;
    enum damage_kind kind = packet->payload_size ? DAMAGE_PAYLOAD : DAMAGE_BARE;
    struct checksum_counts *sender = counts_of(damage, packet);
    bool is_wrong = checksum == CHECKSUM_WRONG;
    bool is_damaged = is_wrong && is_believed(damage, sender, kind);
    damage->proven += is_wrong && kind == DAMAGE_BARE && are_right_mostly(&sender[kind]);
    damage->all[kind].right += !is_wrong;
    damage->all[kind].wrong += is_wrong;
    sender[kind].right += !is_wrong;
    sender[kind].wrong += is_wrong;
    return is_damaged;
}
