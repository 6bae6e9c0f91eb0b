; pass: constants
; Block moves of a known count: of none, of one word, of two; with a fixup, only of one; ecx is 0 behind, if it is read.
sys_read:
    push edi
    push esi
    mov esi, {data}
    mov edi, {data + 32}
    mov ecx, 0
    rep movsb
    mov ecx, 1
    rep movsd
    mov ecx, 2
    rep stosd
    mov ecx, 3
    rep stosd
    mov ecx, 2
    rep movsw
    mov [{data}], ecx
    mov ecx, 1
    rep movsb !.fixup
    mov ecx, 2
    rep movsb !.fixup
    xor ecx, ecx
.fixup:
    mov eax, ecx
    pop esi
    pop edi
    ret

after:
new:
    push edi
    push esi
    mov esi, data
    mov edi, data+32
    mov ecx, 0
    mov ecx, 1
    movsd
    mov ecx, 2
    stosd
    stosd
    mov ecx, 3
    rep stosd
    mov ecx, 2
    rep movsw
    mov dword ptr [data], 0
    mov ecx, 1
    movsb    ; a fault continues at new.3
new.1:
    mov ecx, 2
    rep movsb    ; a fault continues at new.3
new.2:
new.3:
    mov eax, ecx
    pop esi
    pop edi
    ret
