// Functions whose bytes are read by whom their address is passed to, or where it was kept in the frame.
// stays: in_register: computed
// stays: on_stack: computed
// stays: passed_twice: computed
// stays: handed_back: computed
// stays: in_frame: computed
#include "check.h"
FUNCTION(_start)
    movl $in_register, %eax
    call first_of
    EXPECT(0xb8)
    pushl $on_stack
    call first_of_argument
    EXPECT(0xb8)
    movl $passed_twice, (%esp)
    call first_by_way
    EXPECT(0xb8)
    movl $handed_back, (%esp)
    call same
    addl $4, %esp
    movzbl 5(%eax), %eax
    EXPECT(0xc3)
    call in_its_frame
    EXPECT(0xb8)
    pushl $called
    call through_argument
    addl $4, %esp
    EXPECT(6)
    DONE
END(_start)
LOCAL(first_of)
    movzbl (%eax), %eax
    ret
END(first_of)
LOCAL(first_of_argument)
    pushl %ebp
    movl %esp, %ebp
    subl $8, %esp
    movl 8(%ebp), %eax
    movl %eax, -4(%ebp)
    movl -4(%ebp), %ecx
    movzbl (%ecx), %eax
    leave
    ret
END(first_of_argument)
LOCAL(first_by_way)
    pushl 4(%esp)
    call first_of_argument
    popl %ecx
    ret
END(first_by_way)
LOCAL(same)
    movl 4(%esp), %eax
    ret
END(same)
LOCAL(in_its_frame)
    subl $12, %esp
    movl $in_frame, 8(%esp)
    movl 8(%esp), %eax
    pushl %eax
    popl %edx
    movzbl (%edx), %eax
    addl $12, %esp
    ret
END(in_its_frame)
LOCAL(through_argument)
    jmp *4(%esp)
END(through_argument)
    .irp name, in_register, on_stack, passed_twice, handed_back, in_frame, called
LOCAL(\name)
    movl $6, %eax
    ret
END(\name)
    .endr
