/** Headers and parameters whose values the configuration only names. */
import { AppError } from '../../infra/errors.ts'

/** Value of an environment variable. */
export type Secret = (name: string) => string | undefined

type Rules = Readonly<
  Record<string, string | { readonly env: string; readonly prefix?: string | undefined }>
>

/** Throws CONFIG for a variable that is not set, and for one that no header can hold. */
export function resolveSecrets(rules: Rules = {}, secret: Secret): Record<string, string> {
  return Object.fromEntries(
    Object.entries(rules).map(([name, rule]) => {
      if (typeof rule === 'string') return [name, rule]
      const value = secret(rule.env)
      if (value === undefined || value === '')
        throw new AppError('CONFIG', `${name}: the environment has no ${rule.env}`)
      if (/[^\x20-\x7e]/.test(value))
        throw new AppError('CONFIG', `${name}: ${rule.env} holds more than printable ASCII`)
      return [name, `${rule.prefix ?? ''}${value}`]
    }),
  )
}
