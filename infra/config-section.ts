/** A section of the configuration: empty unless told, and without unknown keys. */
export const section = { default: {}, additionalProperties: false } as const
