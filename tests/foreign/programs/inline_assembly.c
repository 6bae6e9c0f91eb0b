// Code by hand between the compiler's: functions that overlap, share their tails, have no size, hold data.
#include <stdio.h>

__asm__(
    ".text\n"
    ".globl add_ten, add_five, sizeless, with_data, overlapping, inner_entry\n"
    ".type add_ten, @function\nadd_ten: addl $5, 4(%esp)\n"
    ".type add_five, @function\nadd_five: movl 4(%esp), %eax\n addl $5, %eax\n jmp .Ltail\n.size add_five, . - add_five\n"
    ".size add_ten, . - add_ten\n"
    ".type sizeless, @function\nsizeless: movl 4(%esp), %eax\n negl %eax\n jmp .Ltail\n"
    ".type with_data, @function\nwith_data: movl 4(%esp), %eax\n movl .Lwords(,%eax,4), %eax\n ret\n"
    ".size with_data, . - with_data\n"
    ".type .Lwords, @object\n.p2align 2\nwords_in_text: .type words_in_text, @object\n.size words_in_text, 12\n"
    ".Lwords: .long 10, 20, 30\n"
    ".type overlapping, @function\noverlapping: movl $1, %eax\n jmp 1f\n"
    ".type inner_entry, @function\ninner_entry: movl $2, %eax\n1: addl 4(%esp), %eax\n ret\n"
    ".size inner_entry, . - inner_entry\n.size overlapping, . - overlapping\n"
    ".Ltail: ret\n");
int add_ten(int), add_five(int), sizeless(int), with_data(int), overlapping(int), inner_entry(int);

int main(void) {
    int sum = 0;
    for (int i = 0; i < 3; i++) {
        printf("%d %d %d ", add_ten(i), add_five(i), sizeless(i));
        printf("%d %d %d\n", with_data(i), overlapping(i), inner_entry(i));
        sum += with_data(i);
    }
    unsigned before = 1, after, carry;
    __asm__ volatile("stc\n\tadcl $0, %0\n\tsetc %b1" : "=&r"(after), "=&q"(carry) : "0"(before) : "cc");
    __asm__ volatile("cld\n\trep stosl" : : "D"((int[4]){0}), "a"(7), "c"(0) : "memory");
    printf("%u\n", after);
    return sum;
}
