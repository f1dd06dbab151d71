// SPDX-License-Identifier: MIT
//
// flash.js PAGE IMAGE: the page's script, unchanged, on a device of this machine's USB: for
// navigator.usb stands the WebUSB of Node's module `usb`, whose user chooses what the page asks for,
// and for the document what the script touches of it. Presses Detach, then Flash until the device
// is there in DFU mode. Prints the page's log; exits with 0 if it ends in "done".
"use strict";
const fs = require("fs");
const vm = require("vm");
const { WebUSB } = require("usb");

const [pageFile, imageFile] = process.argv.slice(2);
const script = /<script>([\s\S]*)<\/script>/.exec(fs.readFileSync(pageFile, "utf8"))[1];
const image = Uint8Array.from(fs.readFileSync(imageFile));

const elements = {};
for (const id of ["file", "address", "detach", "flash", "progress", "log"])
  elements[id] = { textContent: "", addEventListener(event, work) { this[event] = work; } };
elements.address.value = "0x08000000";
elements.file.files = [{ arrayBuffer: async () => image.buffer }];

// Presses a button, and returns what the page logs until it says one of these.
async function press(id, end, seconds) {
  const before = elements.log.textContent.length;
  elements[id].click();
  for (let i = 0; i < seconds * 20; i++) {
    const said = elements.log.textContent.slice(before);
    if (end.test(said))
      return said;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  throw new Error(`${id}: nothing for ${seconds} s after: ${elements.log.textContent.slice(before)}`);
}

// What the page says of the flash; nothing if the device does not come up in DFU mode.
async function detachAndFlash() {
  process.stdout.write(await press("detach", /detached;|failed:/, 20));
  for (let tries = 0; tries < 10; tries++) {
    const said = await press("flash", /done:|failed:/, 60);
    if (!/No device selected/.test(said))
      return said;
    await new Promise(resolve => setTimeout(resolve, 500));
  }
  return "";
}

async function main() {
  vm.runInThisContext(`(function (document, navigator) { ${script} })`)(
    { getElementById: id => elements[id] }, { usb: new WebUSB({ allowAllDevices: true }) });
  let said = "";
  for (let tries = 0; tries < 4 && !said; tries++) // on a slow machine the reset may come too late
    said = await detachAndFlash();
  process.stdout.write(said);
  return /done:/.test(said) ? 0 : 1;
}

main().then(process.exit, error => { console.log(error.message); process.exit(2); });
