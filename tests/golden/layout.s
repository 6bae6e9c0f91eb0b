; pass: layout
; cold: .error .slow
f:
    test eax, eax
    jne .good
.error:
    mov eax, -1
    ret
.good:
    cmp eax, 5
    jb .fast
.slow:
    shl eax, 2
    jmp .end
.fast:
    inc eax
.end:
    ret

after:
new:
    test eax, eax
    je new.1
new.2:
    cmp eax, 5
    jae new.3
new.4:
    inc eax
new.5:
    ret
new.1:
    mov eax, -1
    ret
new.3:
    shl eax, 2
    jmp new.5
