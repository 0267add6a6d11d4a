package users

// Description describes the users table. Edit it to use another table:
// docs/own-table.md has the steps and examples.
var Description = Table{
	Key:      "uid",
	SyncedAt: "syncedAt",
	Columns: []Column{
		{Name: "uid", Kind: Text, Source: UserID},
		{Name: "email", Kind: Text, Source: Attribute("email")},
		{Name: "phone", Kind: Text, Source: Attribute("phone_number")},
		{Name: "profile", Kind: JSON, Source: CustomAttributes},
		{Name: "tenantId", Kind: UUID, Source: Attribute("custom:tenant_id")},
		{Name: "syncedAt", Kind: Timestamp, Source: SyncTime},
	},
}
