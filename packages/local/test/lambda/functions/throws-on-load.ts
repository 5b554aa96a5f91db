const config: { readonly missing?: { readonly value: string } } = {}
console.log('before the mistake')
export const value: string = config.missing!.value
export const handler = async (): Promise<string> => value
