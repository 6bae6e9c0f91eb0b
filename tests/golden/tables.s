; pass: tables
; call: 1 = op_write
; fixed: op_read op_write op_read 7
; finds: f.load+0 = 0 9x, f.load+0 = 4 1x
; One test stands for that of the word and that of the call's target; where it fails, the pointer is loaded again.
f:
    push esi
    mov esi, [esp + 8]
.load:
    mov ecx, [esi + 4]
    mov ecx, [ecx + 4]
    test ecx, ecx
    je .none
    push esi
    call ecx
    add esp, 4
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
new:
    push esi
    mov esi, dword ptr [esp + 8]
new.1:
    cmp dword ptr [esi + 4], fixed
    jne new.8
new.0:
    mov ecx, fixed
    mov ecx, dword ptr [ecx + 4]
    test ecx, ecx
    je new.4
new.2:
    push esi
    cmp ecx, op_write
    jne new.7
new.6:
    lea esp, [esp - 4]
    jmp new.5
new.7:
    call ecx
new.3:
    add esp, 4
new.4:
    pop esi
    ret
new.5:
    mov eax, dword ptr [esp + 4]
    mov eax, dword ptr [eax]
    lea esp, [esp + 4]
    jmp new.3
new.8:
    mov ecx, dword ptr [esi + 4]
    mov ecx, dword ptr [ecx + 4]
    test ecx, ecx
    je new.4
    jmp new.2
