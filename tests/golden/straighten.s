; pass: straighten
f:
    cmp eax, 1
    je .on
    jmp .far
.on:
    inc eax
.empty:
    jmp .end
.far:
    dec eax
    jmp .end
.end:
    ret

after:
new:
    cmp eax, 1
    je new.2
    jmp new.4
new.2:
    inc eax
    jmp new.5
new.4:
    dec eax
new.5:
    ret
