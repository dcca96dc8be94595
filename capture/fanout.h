/* Frames of one interface shared among several rings by the kernel (packet(7), PACKET_FANOUT).
 *
 * Private to capture/. The share is decided by a small program of classic BPF over the address of
 * the device: the side that is not Apple's, or where neither is, the side with the higher port; of
 * an ICMP error the one that it is sent to. So both directions of all of a device's sessions, its
 * DNS and its errors come to one ring, in the order in which they passed. */
#ifndef APNSCOPE_CAPTURE_FANOUT_H
#define APNSCOPE_CAPTURE_FANOUT_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

enum { FANOUT_PROGRAM_MAX = 128 };

/* Joins the socket to those that share with `leader` (-1: it is the first). `is_wrapped`: frames
 * are inside tunnels, and the kernel's hash of the outer headers decides. NULL, or what is wrong. */
const char *fanout_join(int socket, int leader, bool is_wrapped);

/* Writes the program; returns how many instructions it has. */
size_t fanout_program(struct sock_filter program[FANOUT_PROGRAM_MAX]);

#endif
