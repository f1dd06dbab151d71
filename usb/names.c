// SPDX-License-Identifier: MIT

#include <usb/names.h>

#include <stddef.h>

#include <dfurt/usb_spec.h>

#define COUNT(names) (sizeof(names) / sizeof *(names))

const char *usb_dfu_state_name(uint8_t bState)
{
    static const char *const names[] = {
        [DFURT_STATE_appIDLE] = "appIDLE",
        [DFURT_STATE_appDETACH] = "appDETACH",
        [DFURT_STATE_dfuIDLE] = "dfuIDLE",
        [DFURT_STATE_dfuDNLOAD_SYNC] = "dfuDNLOAD-SYNC",
        [DFURT_STATE_dfuDNBUSY] = "dfuDNBUSY",
        [DFURT_STATE_dfuDNLOAD_IDLE] = "dfuDNLOAD-IDLE",
        [DFURT_STATE_dfuMANIFEST_SYNC] = "dfuMANIFEST-SYNC",
        [DFURT_STATE_dfuMANIFEST] = "dfuMANIFEST",
        [DFURT_STATE_dfuMANIFEST_WAIT_RESET] = "dfuMANIFEST-WAIT-RESET",
        [DFURT_STATE_dfuUPLOAD_IDLE] = "dfuUPLOAD-IDLE",
        [DFURT_STATE_dfuERROR] = "dfuERROR",
    };

    return bState < COUNT(names) ? names[bState] : "a state out of range";
}

const char *usb_dfu_status_name(uint8_t bStatus)
{
    static const char *const names[] = {
        [DFURT_STATUS_OK] = "OK",
        [DFURT_STATUS_errTARGET] = "errTARGET",
        [DFURT_STATUS_errFILE] = "errFILE",
        [DFURT_STATUS_errWRITE] = "errWRITE",
        [DFURT_STATUS_errERASE] = "errERASE",
        [DFURT_STATUS_errCHECK_ERASED] = "errCHECK_ERASED",
        [DFURT_STATUS_errPROG] = "errPROG",
        [DFURT_STATUS_errVERIFY] = "errVERIFY",
        [DFURT_STATUS_errADDRESS] = "errADDRESS",
        [DFURT_STATUS_errNOTDONE] = "errNOTDONE",
        [DFURT_STATUS_errFIRMWARE] = "errFIRMWARE",
        [DFURT_STATUS_errVENDOR] = "errVENDOR",
        [DFURT_STATUS_errUSBR] = "errUSBR",
        [DFURT_STATUS_errPOR] = "errPOR",
        [DFURT_STATUS_errUNKNOWN] = "errUNKNOWN",
        [DFURT_STATUS_errSTALLEDPKT] = "errSTALLEDPKT",
    };

    return bStatus < COUNT(names) ? names[bStatus] : "a status out of range";
}

const char *usb_dfu_request_name(uint8_t bRequest)
{
    static const char *const names[] = {
        [DFURT_DETACH] = "DETACH",       [DFURT_DNLOAD] = "DNLOAD",
        [DFURT_UPLOAD] = "UPLOAD",       [DFURT_GETSTATUS] = "GETSTATUS",
        [DFURT_CLRSTATUS] = "CLRSTATUS", [DFURT_GETSTATE] = "GETSTATE",
        [DFURT_ABORT] = "ABORT",
    };

    return bRequest < COUNT(names) ? names[bRequest] : NULL;
}

const char *usb_standard_request_name(uint8_t bRequest)
{
    static const char *const names[] = {
        [USBDEV_GET_STATUS] = "GET_STATUS",
        [USBDEV_CLEAR_FEATURE] = "CLEAR_FEATURE",
        [USBDEV_SET_FEATURE] = "SET_FEATURE",
        [USBDEV_SET_ADDRESS] = "SET_ADDRESS",
        [USBDEV_GET_DESCRIPTOR] = "GET_DESCRIPTOR",
        [USBDEV_SET_DESCRIPTOR] = "SET_DESCRIPTOR",
        [USBDEV_GET_CONFIGURATION] = "GET_CONFIGURATION",
        [USBDEV_SET_CONFIGURATION] = "SET_CONFIGURATION",
        [USBDEV_GET_INTERFACE] = "GET_INTERFACE",
        [USBDEV_SET_INTERFACE] = "SET_INTERFACE",
        [USBDEV_SYNCH_FRAME] = "SYNCH_FRAME",
    };

    return bRequest < COUNT(names) ? names[bRequest] : NULL;
}
