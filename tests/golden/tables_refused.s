; pass: tables
; call: 1 = op_write
; fixed: op_read op_write op_read 7
; finds: f.load+0 = 4 9x, f.several+0 = 0 8x, f.several+0 = 16 9x, f.several+0 = 32 1x, f.flags+1 = 0 9x, f.once+0 = 0 9x, f.word+0 = 0 9x
; Another target than the one that is inlined; several tables; flags that matter; a load that decides too little, and a
; word that is no pointer: behind its address might be a device.
f:
    push esi
    mov esi, [esp + 8]
.load:
    mov ecx, [esi + 4]
    push esi
    call [ecx + 4]
    add esp, 4
.several:
    mov ecx, [esi + 8]
    push esi
    call [ecx]
    add esp, 4
.flags:
    cmp esi, 3
    mov ecx, [esi + 8]
    jb .once
    test ecx, ecx
    je .none
.once:
    mov ecx, [esi + 12]
    call [ecx + 4]
.word:
    mov ecx, [esi + 20]
    test ecx, ecx
    je .none
    cmp ecx, 5
    jb .none
.none:
    pop esi
    ret
op_write:
    mov eax, [esp + 4]
    mov eax, [eax]
    ret
op_read:
    ret

after:
; refused: flags are live across it: fixed+0x0
; refused: another target is more frequent: fixed+0x4
; refused: the guard costs more than it saves: fixed+0x0: 200.0 instructions, and saves 100.0
; refused: it leads to several tables: fixed+0x10: 50%
; refused: the guard costs more than it saves: fixed+0x0: 200.0 instructions, and saves 100.0
new:
    push esi
    mov esi, dword ptr [esp + 8]
new.1:
    mov ecx, dword ptr [esi + 4]
    push esi
    cmp dword ptr [ecx + 4], op_write
    jne new.13
new.12:
    lea esp, [esp - 4]
    jmp new.11
new.13:
    call dword ptr [ecx + 4]
new.2:
    add esp, 4
new.3:
    mov ecx, dword ptr [esi + 8]
    push esi
    call dword ptr [ecx]
new.4:
    add esp, 4
new.5:
    cmp esi, 3
    mov ecx, dword ptr [esi + 8]
    jb new.7
new.6:
    test ecx, ecx
    je new.10
new.7:
    mov ecx, dword ptr [esi + 12]
    call dword ptr [ecx + 4]
new.8:
    mov ecx, dword ptr [esi + 20]
    test ecx, ecx
    je new.10
new.9:
    cmp ecx, 5
    jb new.10
new.10:
    pop esi
    ret
new.11:
    mov eax, dword ptr [esp + 4]
    mov eax, dword ptr [eax]
    lea esp, [esp + 4]
    jmp new.2
