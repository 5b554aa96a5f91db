// Prints the golden digests of the Node that runs it.
import { goldenDigests } from '../golden-log'

console.log(JSON.stringify(goldenDigests(), null, 2))
