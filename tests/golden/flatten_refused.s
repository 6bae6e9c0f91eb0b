; pass: flatten
; Flags of a move of esp decide a branch.
f:
    push ebx
    sub esp, 4
    jb .low
    add esp, 4
    pop ebx
    ret
.low:
    add esp, 4
    pop ebx
    ret

after:
; refused: the frames stay: flags of a move of esp are used
new:
    push ebx
    sub esp, 4
    jb new.2
new.1:
    add esp, 4
    pop ebx
    ret
new.2:
    add esp, 4
    pop ebx
    ret
