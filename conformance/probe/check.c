// SPDX-License-Identifier: MIT

#include <conformance/check.h>

const char *level_text(enum level level)
{
    switch (level) {
    case LEVEL_MUST:
        return "must";
    case LEVEL_SHOULD:
        return "should";
    case LEVEL_INFO:
        return "inform";
    }
    return "?";
}

const char *need_text(unsigned need)
{
    switch ((enum need)need) {
    case NEED_RUN_TIME:
        return "run time";
    case NEED_DFU_MODE:
        return "DFU mode";
    case NEED_DETACH:
        return "to send DETACH";
    case NEED_WRITE:
        return "--allow-write";
    case NEED_RESET:
        return "a target that can reset the bus";
    case NEED_RAW:
        return "a target that carries requests to absent interfaces and endpoints";
    case NEED_ADDRESS:
        return "a target that can hold the device in the Address state";
    case NEED_DEFAULT:
        return "a target that can hold the device in the Default state";
    case NEED_SUSPEND:
        return "a target that can suspend the bus";
    case NEED_ANY_LENGTH:
        return "a target where GET_DESCRIPTOR(DEVICE) of 8 or 64 bytes is no bus reset";
    case NEED_DEPART:
        return "a target that can delay or cut off a control transfer";
    case NEED_FUNCTIONAL:
        return "a DFU functional descriptor";
    case NEED_WILL_DETACH:
        return "a device with bitWillDetach = 1";
    case NEED_WAIT_RESET:
        return "a device with bitWillDetach = 0";
    case NEED_CAN_DNLOAD:
        return "a device with bitCanDnload = 1";
    case NEED_CAN_UPLOAD:
        return "a device with bitCanUpload = 1";
    case NEED_DFUSE:
        return "a DfuSe device (bcdDFUVersion 011Ah)";
    case NEED_PLAIN:
        return "a device that is not DfuSe";
    case NEED_OTHER_INTERFACE:
        return "a device with another interface beside DFU";
    case NEED_DFU_INTERFACE:
        return "a DFU interface";
    case NEED_DNLOAD_BEGUN:
        return "--allow-write: a download overwrites the firmware";
    }
    return "?";
}
