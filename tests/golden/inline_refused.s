; pass: inline
; call: 1 = own_address, 2 = deep, 3 = switches
; What uses its return address, reaches beyond it, or leaves with another esp, stays a call.
sys_call:
    call own_address
    call deep
    call switches
    ret
own_address:
    mov eax, [esp]
    ret
deep:
    lea eax, [esp]
    mov [{data}], eax
    ret
switches:
    mov esp, [{data}]
    ret

after:
; refused: the stack is not understood: own_address: uses its return address
; refused: the stack is not understood: deep: an unknown stack address escapes
; refused: the stack is not understood: switches: switches: esp at a return is not known to be the entry esp
new:
    call own_address
new.1:
    call deep
new.2:
    call switches
new.3:
    ret
