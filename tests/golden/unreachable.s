; pass: unreachable
f:
    jmp .end
.never:
    inc eax
    jmp .nor
.nor:
    dec eax
    jmp .never
.end:
    ret

after:
new:
    jmp new.1
new.1:
    ret
