import { spawnSync } from 'node:child_process'

/**
 * Why a test that injects faults into system calls is skipped, or false. Where CI is set nothing is skipped: such a test fails there
 * rather than pass by being left out.
 */
export function straceMissing(): string | false {
  // biome-ignore lint/style/noProcessEnv: not configuration of ours, but how CI systems say what they are
  if (process.env.CI === 'true' || spawnSync('strace', ['-V']).status === 0) return false
  return 'strace is not installed'
}
