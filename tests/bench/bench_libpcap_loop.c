/* bench_libpcap_loop CAPTURE: the floor that every other number is quoted against.
 *
 * libpcap's pcap_loop over the file with a callback that counts packets and bytes, and nothing
 * else: the least that a program built on libpcap's own file reading can take. Deliberately not
 * tuned: this is what the usual program does. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#include <pcap/pcap.h>

struct counts {
    uint64_t packets;
    uint64_t bytes;
};

static void count(u_char *context, const struct pcap_pkthdr *header, const u_char *bytes)
{
    struct counts *counts = (struct counts *)(void *)context;
    (void)bytes;
    counts->packets++;
    counts->bytes += header->caplen;
}

int main(int argc, char **argv)
{
    char error[PCAP_ERRBUF_SIZE];
    struct counts counts = {0};
    if (argc != 2) {
        fputs("usage: bench_libpcap_loop CAPTURE\n", stderr);
        return 2;
    }
    pcap_t *capture = pcap_open_offline(argv[1], error);
    if (!capture) {
        fprintf(stderr, "bench_libpcap_loop: %s\n", error);
        return 3;
    }
    int result = pcap_loop(capture, -1, count, (u_char *)(void *)&counts);
    if (result < 0)
        pcap_perror(capture, "bench_libpcap_loop");
    pcap_close(capture);
    printf("%" PRIu64 " packets, %" PRIu64 " bytes\n", counts.packets, counts.bytes);
    return result < 0 ? 3 : 0;
}
