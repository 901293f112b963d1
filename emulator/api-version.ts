import { badParameter } from "./service-error.js";

/** An api-version as a number that grows with time: the dated ones of 2015 and 2016 come before 7.0, later ones after it. */
export type ApiVersion = number;

const dated = /^(20\d\d)-(\d\d)-(\d\d)(-preview)?$/;
const numbered = /^(\d{1,2})\.(\d{1,2})(-preview(\.\d{1,2})?)?$/;

/** @throws ServiceError 400: there is no default. */
export function readApiVersion(text: string | undefined): ApiVersion {
  if (text === undefined || text === "") throw badParameter("api-version must be specified");
  const date = dated.exec(text);
  if (date !== null) {
    const year = Number(date[1]);
    return year < 2018 ? year - 2015 : year * 10_000 + Number(date[2]) * 100 + Number(date[3]);
  }
  const number = numbered.exec(text);
  if (number === null) throw badParameter("The specified version in the api-version query parameter is not supported.");
  return Number(number[1]) * 100 + Number(number[2]);
}

/** `since("7.3")` as the number to compare with. */
export const since = {
  softDelete: 1,
  recoverableDays: 701,
  hsmPlatform: 705,
  attestation: 706,
  /** HMAC, and key wrap by the names of PKCS#11. */
  macs: 706,
  outContentType: 20_250_601,
  keySize: 20_260_101,
  /** A preview of 2026; with which version it began is documented nowhere. */
  symmetricInVaults: 20_260_101,
} as const;
