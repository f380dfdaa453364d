// Counts primes and adds fractions: a program in AssemblyScript.
const limit = i32(parseInt(process.argv[1]));
const composite = new StaticArray<bool>(limit + 1);
let count = 0;
for (let n = 2; n <= limit; n++) {
  if (composite[n]) continue;
  count++;
  for (let m = n * 2; m <= limit; m += n) composite[m] = true;
}
console.log(`${count} primes up to ${limit}`);
let sum = 0.0;
for (let n = 1; n <= limit; n++) sum += 1.0 / (f64(n) * f64(n));
console.log(`the sum of inverse squares is ${sum}`);
console.log(`a random number is below one: ${Math.random() < 1.0}`);
process.exit(count > 0 ? 0 : 1);
