// Reckons check values by the gateway's own SDK: a JSON list of {name: text} comes in, a list of values goes out.
// The SDK prints what it hashes; that goes nowhere.
const Helper = require('ecpay_aio_nodejs/lib/ecpay_payment/helper.js')
const [key, iv] = process.argv.slice(2)
const helper = Object.create(Helper.prototype)
Object.assign(helper, { hkey: key, hiv: iv })
console.log = () => {}
const asked = JSON.parse(require('fs').readFileSync(0, 'utf8'))
process.stdout.write(JSON.stringify(asked.map((fields) => helper.gen_chk_mac_value(fields, 1))))
