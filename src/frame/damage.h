/* damage.h - which frames of a video are damaged, from what its demuxer and decoder say of packets and frames. Times
 * are the stream's own units, DAMAGE_NO_TIME where there is none. */
#ifndef FRAME_DAMAGE_H
#define FRAME_DAMAGE_H

#include <lanert/lanert.h>

#define DAMAGE_NO_TIME INT64_MIN

typedef struct damage {
    lanert_damage sum;
    bool begun; /* a key frame's packet came: before it, where a stream is joined, nothing can be decoded */
    bool spoilt;
    int64_t since;    /* where spoilt: frames from this time on are built on a damaged one … */
    int64_t past;     /* … up to a key frame later than this */
    int64_t last_fed; /* of the packet last handed to the decoder */
    double last_s;    /* of the frame last given, seconds */
} damage;

/* Packets in the order in which the decoder gets them. `torn`: the demuxer knows that something of it is missing. */
void damage_on_packet(damage *d, int64_t time, bool key, bool torn);
/* The decoder, or the demuxer, could make nothing of a packet: that one, or one that it was fed shortly before. */
void damage_on_loss(damage *d);
/* A frame in the order of showing. `sound`: the decoder says nothing against it. True where it is damaged. */
bool damage_on_frame(damage *d, int64_t time, double at_s, bool key, bool sound);
/* The last frame ended at end_s, and the file states that it lasts for stated_s; 0: it does not. */
void damage_on_end(damage *d, double end_s, double stated_s);

#endif
