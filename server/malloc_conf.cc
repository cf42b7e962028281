// How jemalloc is set up; it reads this symbol before main.
//
// thp:always: the keyspace is scattered over all memory, and with 4 KB pages nearly every look-up
// also misses the TLB (huge pages cut the CPU time of a pipelined GET by a seventh). What makes
// servers that fork avoid huge pages, copying 2 MB for every page written during a snapshot, does
// not exist here. background_thread: freed memory goes back to the system without a loop's help.
#if defined(SPINEL_JEMALLOC)
extern "C" {
// NOLINTBEGIN(readability-identifier-naming): jemalloc's name for it
extern const char* const malloc_conf;
const char* const malloc_conf = "thp:always,metadata_thp:auto,background_thread:true";
// NOLINTEND(readability-identifier-naming)
}
#endif
