// SPDX-License-Identifier: MIT
//
// Around the README's C: nothing.

// README 1
