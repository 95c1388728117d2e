/** What is wrong with a value of the configuration, in words. */
import type { TLocalizedValidationError } from 'typebox/error'

export interface Fault {
  /** Path of the option, with dots. */
  readonly option: string
  readonly unknown: boolean
  /** Nothing of the value itself: it may be a secret. */
  readonly wrong: string
}

/** Undefined for an error that another one says better: each unknown key has an error of its own, keyword `boolean`. */
export function faultOf(error: TLocalizedValidationError): Fault | undefined {
  if (error.keyword === 'additionalProperties') return undefined
  const option = error.instancePath.slice(1).replaceAll('/', '.')
  const wrong =
    error.keyword === 'enum'
      ? `must be one of ${error.params.allowedValues.join(', ')}`
      : error.message
  return { option, unknown: error.keyword === 'boolean', wrong }
}
