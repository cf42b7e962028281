// Huge pages (malloc_conf.cc) are for a process that has something to put on them. Every arena of
// the allocator would touch a few at once, 4 MB per loop, of which an empty server fills next to
// nothing: so they are held back until enough is allocated, and the kernel collapses small pages
// from before then by and by.
//
// The setting is the process's (prctl); where somebody else has switched huge pages off, it stays.
#pragma once

namespace spinel {

// Memory that is touched from now on comes in small pages. Needs nothing to be initialised, and no
// other thread yet.
void HoldBackHugePages();

// Ends that, for good. Any thread.
void AllowHugePages();

}  // namespace spinel
