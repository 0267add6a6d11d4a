package users

// Description describes the users table. Edit it to use another table:
// docs/own-table.md has the steps and examples.
var Description = Table{
	Key:        "id",
	Sub:        "id",
	SyncedAt:   "synced_at",
	SignedInAt: "last_sign_in_at",
	Enabled:    "enabled",
	DeletedAt:  "deleted_at",
	Columns: []Column{
		{Name: "id", Kind: UUID, Source: Sub},
		{Name: "username", Kind: Text, Source: Username},
		{Name: "email", Kind: Text, Source: Attribute("email")},
		{Name: "email_verified", Kind: Boolean, Source: Verified("email", "email_verified")},
		{Name: "phone_number", Kind: Text, Source: Attribute("phone_number")},
		{Name: "phone_number_verified", Kind: Boolean, Source: Verified("phone_number", "phone_number_verified")},
		{Name: "name", Kind: Text, Source: Attribute("name")},
		{Name: "given_name", Kind: Text, Source: Attribute("given_name")},
		{Name: "family_name", Kind: Text, Source: Attribute("family_name")},
		{Name: "picture", Kind: Text, Source: Attribute("picture")},
		{Name: "locale", Kind: Text, Source: Attribute("locale")},
		{Name: "identity_provider", Kind: Text, Source: IdentityProvider},
		{Name: "status", Kind: Text, Source: Attribute("cognito:user_status")},
		{Name: "attributes", Kind: JSON, Source: CustomAttributes},
		{Name: "nickname", Kind: Text, Source: Attribute("nickname")},
		{Name: "zoneinfo", Kind: Text, Source: Attribute("zoneinfo")},
		{Name: "org_id", Kind: UUID, Source: Attribute("custom:org_id")},
		{Name: "last_sign_in_at", Kind: Timestamp, Source: SignInTime},
		{Name: "synced_at", Kind: Timestamp, Source: SyncTime},
	},
}
