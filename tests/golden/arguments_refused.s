; pass: arguments
; known: 0=1 1=2
; Whoever else may read the slots refuses them: here a callee with an address, there one that reads deep.
sys_call:
    lea eax, [esp + 4]
    push eax
    call fill
    add esp, 4
    mov eax, [esp + 4]
    add eax, [esp + 8]
    ret
fill:
    mov eax, [esp + 4]
    mov dword ptr [eax], 7
    ret

after:
; refused: argument 0: its slot may still be read: the address of an argument escapes
; refused: argument 1: its slot may still be read: the address of an argument escapes
new:
    lea eax, [esp + 4]
    push eax
    call fill
new.1:
    add esp, 4
    mov eax, dword ptr [esp + 4]
    add eax, dword ptr [esp + 8]
    ret
