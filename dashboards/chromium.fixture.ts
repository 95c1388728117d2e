/** The system's Chromium for tests of the page. */
import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const candidates = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/snap/bin/chromium',
  '/opt/google/chrome/chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export interface ChromiumSearch {
  readonly executable: string
  /** Why tests of the page are skipped. In CI they are not: a missing browser fails them. */
  readonly skip: string | false
}

export function findChromium(env: Readonly<Record<string, string | undefined>>): ChromiumSearch {
  const executable = [env.CHROMIUM_PATH, ...candidates].find(
    (path) => path !== undefined && existsSync(path),
  )
  const isOptional = executable === undefined && env.CI !== 'true'
  const skip = isOptional && 'no Chromium found; set CHROMIUM_PATH to test the page'
  return { executable: executable ?? '', skip }
}

export function launchChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: flags })
}
