const C0 = 0.28209479177387814;
const C1 = 0.4886025119029199;
const C2 = [1.0925484305920792, -1.0925484305920792, 0.31539156525252005, -1.0925484305920792, 0.5462742152960396] as const;
const C3 = [
  -0.5900435899266435, 2.890611442640554, -0.4570457994644658, 0.3731763325901154, -0.4570457994644658, 1.445305721320277,
  -0.5900435899266435,
] as const;

type Vector = readonly [number, number, number];

/** A basis function at a direction: its value, and its slopes along x, y and z. */
export interface BasisFunction {
  readonly value: number;
  readonly slope: Vector;
}

/**
 * The real spherical harmonics of degrees 0 to `degree` in the order l, m = -l..l and with the signs that Gaussian files use, as
 * polynomials of a unit vector.
 */
export function harmonics([x, y, z]: Vector, degree: number): readonly BasisFunction[] {
  const basis = (constant: number, polynomial: number, slope: Vector): BasisFunction => ({
    value: constant * polynomial,
    slope: [constant * slope[0], constant * slope[1], constant * slope[2]],
  });
  const xx = x * x;
  const yy = y * y;
  const zz = z * z;
  return [
    basis(C0, 1, [0, 0, 0]),
    basis(-C1, y, [0, 1, 0]),
    basis(C1, z, [0, 0, 1]),
    basis(-C1, x, [1, 0, 0]),
    basis(C2[0], x * y, [y, x, 0]),
    basis(C2[1], y * z, [0, z, y]),
    basis(C2[2], 2 * zz - xx - yy, [-2 * x, -2 * y, 4 * z]),
    basis(C2[3], x * z, [z, 0, x]),
    basis(C2[4], xx - yy, [2 * x, -2 * y, 0]),
    basis(C3[0], y * (3 * xx - yy), [6 * x * y, 3 * xx - 3 * yy, 0]),
    basis(C3[1], x * y * z, [y * z, x * z, x * y]),
    basis(C3[2], y * (4 * zz - xx - yy), [-2 * x * y, 4 * zz - xx - 3 * yy, 8 * y * z]),
    basis(C3[3], z * (2 * zz - 3 * xx - 3 * yy), [-6 * x * z, -6 * y * z, 6 * zz - 3 * xx - 3 * yy]),
    basis(C3[4], x * (4 * zz - xx - yy), [4 * zz - 3 * xx - yy, -2 * x * y, 8 * x * z]),
    basis(C3[5], z * (xx - yy), [2 * x * z, -2 * y * z, xx - yy]),
    basis(C3[6], x * (xx - 3 * yy), [3 * xx - 3 * yy, -6 * x * y, 0]),
  ].slice(0, (degree + 1) ** 2);
}
