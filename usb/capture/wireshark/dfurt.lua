-- SPDX-License-Identifier: MIT
--
-- dfurt.lua: Wireshark dissects DFU by lists of products that it knows. This adds each product that
-- shows a DFU interface (class FEh, subclass 01h: DFU 1.1 4.1.2, 4.2.3) in the capture at hand.

local address = Field.new("usb.device_address")
local bus = Field.new("usb.bus_id")
local vendor = Field.new("usb.idVendor")
local product = Field.new("usb.idProduct")
local class = Field.new("usb.bInterfaceClass")
local subclass = Field.new("usb.bInterfaceSubClass")

-- The dissector has no name to get it by, but stands in the table for 1d50:6084, among others.
local KNOWN_PRODUCT = 0x1D506084

local dfurt = Proto("dfurt", "DFU by interface class")
local products = {} -- by bus and address: idVendor and idProduct in one number, as the table has them

function dfurt.init()
    products = {}
end

local function shows_dfu()
    local classes, subclasses = { class() }, { subclass() }
    for i = 1, math.min(#classes, #subclasses) do
        if classes[i].value == 0xFE and subclasses[i].value == 0x01 then
            return true
        end
    end
    return false
end

function dfurt.dissector()
    local where = address() and bus() and bus().value .. "." .. address().value
    if not where then
        return
    end
    if vendor() and product() then
        products[where] = vendor().value * 65536 + product().value
    end
    if products[where] and shows_dfu() then
        local by_product = DissectorTable.get("usb.product")
        by_product:add(products[where], by_product:get_dissector(KNOWN_PRODUCT))
    end
end

register_postdissector(dfurt)
