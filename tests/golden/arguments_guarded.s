; pass: arguments
; guarded: 0=3 2=0x1000
sys_read:
    mov eax, [esp + 4]
    add eax, [esp + 12]
    ret

after:
new:
    cmp dword ptr [esp + 4], 3
    jne sys_read
new.1:
    cmp dword ptr [esp + 12], 0x1000
    jne sys_read
new.0:
    mov eax, dword ptr [esp + 4]
    add eax, dword ptr [esp + 12]
    ret
