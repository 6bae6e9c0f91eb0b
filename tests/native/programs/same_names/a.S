// Local symbols of equal name in two files, of functions and of data; weak and strong ones.
// stays: .text_…: no symbol names it
#include "check.h"
FUNCTION(_start)
    call helper
    EXPECT(1)
    call other_file
    EXPECT(2)
    movl value, %eax
    EXPECT(10)
    call *table
    EXPECT(1)
    call maybe
    EXPECT(6)
    DONE
END(_start)
LOCAL(helper)
    movl $1, %eax
    ret
END(helper)
    .weak maybe
LOCAL(maybe)
    movl $5, %eax
    ret
END(maybe)
    .data
value: .long 10
table: .long helper
