/** The software Vulkan that comes with Debian's Chromium: WebGPU without a GPU. */
import { existsSync } from 'node:fs'

const folder = '/usr/lib/chromium'
const driver = `${folder}/vk_swiftshader_icd.json`

/** What a process needs in its environment to find it. */
export const swiftshader = { VK_ICD_FILENAMES: driver, LD_LIBRARY_PATH: folder }

/** Why a test of WebGPU is skipped, or false. Where CI is set nothing is skipped: such a test fails there rather than pass by being left out. */
export function swiftshaderMissing(): string | false {
  // biome-ignore lint/style/noProcessEnv: not configuration of ours, but how CI systems say what they are
  if (process.env.CI === 'true' || existsSync(driver)) return false
  return "Debian's chromium is not installed"
}
