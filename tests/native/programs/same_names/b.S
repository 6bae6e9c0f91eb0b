    .text
    .globl other_file
    .type other_file, @function
other_file:
    call helper
    cmpl $20, value
    jne 1f
    call *table
    ret
1:  movl $99, %eax
    ret
    .size other_file, . - other_file
    .type helper, @function
helper:
    movl $2, %eax
    ret
    .size helper, . - helper
    .globl maybe
    .type maybe, @function
maybe:
    movl $6, %eax
    ret
    .size maybe, . - maybe
    .data
value: .long 20
table: .long helper
