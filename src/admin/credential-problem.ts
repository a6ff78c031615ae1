/** A credential that cannot be taken, with the reason for whoever gave it. */
export class CredentialProblem extends Error {
  override name = "CredentialProblem";
}
